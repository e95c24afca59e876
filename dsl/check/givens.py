"""What a scenario gives: answers, events, a cancel."""

from __future__ import annotations

from dsl import syntax
from dsl.check.block import place
from dsl.check.report import did_you_mean
from dsl.check.scene import Scene, partial, text_of
from dsl.model import (
    AnswerModel,
    ArrivalModel,
    CancelModel,
    CommandModel,
    Given,
    PatternModel,
    wire_type,
)


def check_given(given: syntax.Given, scene: Scene) -> Given | None:
    """The model of one `given`; None, with a report, where it cannot be made."""
    match given:
        case syntax.GivenAnswer() | syntax.GivenTimeout():
            return _answer(given, scene)
        case syntax.GivenValue():
            return _value(given, scene)
        case syntax.GivenArrival():
            return _arrival(given, scene)
        case syntax.GivenCancel():
            delay = scene.delay(given.delay)
            return CancelModel(delay=delay, text=text_of(given.at), place=place(given.at))


def _answer(given: syntax.GivenAnswer | syntax.GivenTimeout, scene: Scene) -> AnswerModel | None:
    command = scene.messages.command(given.subject, scene.module)
    if command is None:
        return None
    if command.name not in scene.met.sent:
        scene.never("sends", given.subject)
    subject = syntax.Invocation(given.subject, given.only, given.at)
    answer = delay = None
    if isinstance(given, syntax.GivenAnswer):
        delay = scene.delay(given.delay)
        name = _meant(given, command, scene)
        if name is None:
            return None
        fields = partial(given.answer, scene.shape(name), scene)
        answer = PatternModel(name=name, fields=fields)
    return AnswerModel(
        subject=PatternModel(
            name=command.name, fields=partial(subject, scene.shape(command.name), scene)
        ),
        answer=answer,
        delay=delay,
        times=_times(given.times, scene),
        text=text_of(given.at),
        place=place(given.at),
    )


def _meant(given: syntax.GivenAnswer, command: CommandModel, scene: Scene) -> str | None:
    """The reply, or the failure, that an answer's name stands for."""
    path = given.answer.callee
    possible, other = command.replies, command.fails
    if given.fails:
        possible, other = other, possible
    found = [p for p in possible if f".{p}".endswith(f".{path.text}")]
    if len(found) == 1:
        return found[0]
    says, instead = ("fails", "replies") if given.fails else ("replies", "fails")
    short = given.subject.parts[-1].text
    if found:
        names = " or ".join(f"`{wire_type(f)}`" for f in found)
        message, help = f"`{path.text}` may be {names}", "write the service's name before it"
        scene.report.add("F361", message, path.at, "which one?", help)
        return None
    if any(f".{o}".endswith(f".{path.text}") for o in other):
        help = f"write `{instead} {path.text}`"
    else:
        known = [p.rpartition(".")[2] for p in possible]
        help = did_you_mean(path.parts[-1].text, known) or (
            f"it {says} " + ", ".join(f"`{k}`" for k in known) if known else "it never fails"
        )
    word = "fails with" if given.fails else "replies"
    message = f"`{short}` never {word} `{path.text}`"
    scene.report.add("F361", message, path.at, "cannot happen", help)
    return None


def _value(given: syntax.GivenValue, scene: Scene) -> Given | None:
    path = given.subject
    message, help = f"no activity named `{path.text}`", "commands reply: `given … replies …`"
    scene.report.add("F101", message, path.at, "not an activity", help)
    return None


def _arrival(given: syntax.GivenArrival, scene: Scene) -> ArrivalModel | None:
    path = given.message.callee
    name = scene.signal(path)
    if name is None:
        event = scene.messages.event(path, scene.module)
        name = event.name if event else None
    delay = scene.delay(given.delay)
    if name is None:
        return None
    if name not in scene.met.awaited:
        scene.never("waits for", path)
    fields = partial(given.message, scene.shape(name), scene)
    return ArrivalModel(
        message=PatternModel(name=name, fields=fields),
        delay=delay,
        text=text_of(given.at),
        place=place(given.at),
    )


def _times(times: syntax.Literal | None, scene: Scene) -> int | None:
    if times is None or not isinstance(times.value, int):
        return None
    if times.value < 1:
        message, help = f"`{times.value} times` is never", "say how often, or leave the given out"
        scene.report.add("F211", message, times.at, "less than one", help)
        return None
    return times.value
