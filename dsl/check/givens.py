"""What a scenario gives: answers, events, a cancel."""

from __future__ import annotations

from dsl import syntax
from dsl.check.block import place
from dsl.check.callees import Called
from dsl.check.report import did_you_mean
from dsl.check.scene import Scene, partial, text_of
from dsl.model import (
    AnswerModel,
    ArrivalModel,
    Callee,
    CancelModel,
    DecisionModel,
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
        case syntax.GivenDecision():
            return _decision(given, scene)


def _answer(given: syntax.GivenAnswer | syntax.GivenTimeout, scene: Scene) -> Given | None:
    called = _found(given.subject, scene)
    if called is None:
        return None
    answer = delay = None
    if isinstance(given, syntax.GivenAnswer):
        if called.kind is Callee.ACTIVITY:
            message, help = f"`{called.short}` is an activity", "write `given … returns value`"
            scene.report.add("F361", message, given.subject.at, "replies with no message", help)
            return None
        delay = scene.delay(given.delay)
        name = _meant(given, called, scene)
        if name is None:
            return None
        answer = PatternModel(name=name, fields=partial(given.answer, scene.shape(name), scene))
    return AnswerModel(
        subject=_subject(given, called, scene),
        answer=answer,
        delay=delay,
        times=_times(given.times, scene),
        text=text_of(given.at),
        place=place(given.at),
    )


def _value(given: syntax.GivenValue, scene: Scene) -> Given | None:
    path = given.subject
    if len(path.parts) == 1 and scene.module.find(path.text) is None:
        help = did_you_mean(path.text, scene.module.names_of(syntax.ActivityDecl))
        help = help or "declare it, or import it"
        scene.report.add("F101", f"no activity named `{path.text}`", path.at, "not here", help)
        return None
    called = _found(given.subject, scene)
    if called is None:
        return None
    if called.kind is not Callee.ACTIVITY:
        message = f"`{given.subject.text}` is a command"
        help = "write `given … replies Message(…)`"
        scene.report.add("F361", message, given.subject.at, "returns no value", help)
        return None
    return AnswerModel(
        subject=_subject(given, called, scene),
        value=scene.expression(given.value, called.answer),
        delay=scene.delay(given.delay),
        times=_times(given.times, scene),
        text=text_of(given.at),
        place=place(given.at),
    )


def _found(path: syntax.Path, scene: Scene) -> Called | None:
    """The callee that is given an answer; a saga gives its own."""
    called = scene.callees.find(path, scene.module)
    if called and called.kind is Callee.SAGA:
        message = f"`{called.short}` is a saga, which is played itself"
        help = "give what its own steps are answered"
        scene.report.add("F361", message, path.at, "gives its own answer", help)
        return None
    return called


def _subject(
    given: syntax.GivenAnswer | syntax.GivenTimeout | syntax.GivenValue | syntax.GivenDecision,
    called: Called,
    scene: Scene,
) -> PatternModel:
    """What is called, with the values that it must have."""
    if called.name not in scene.met.sent:
        scene.never("calls" if called.kind is Callee.ACTIVITY else "sends", given.subject)
    call = syntax.Invocation(given.subject, given.only, given.at)
    return PatternModel(name=called.name, fields=partial(call, called.fields, scene))


def _meant(given: syntax.GivenAnswer, called: Called, scene: Scene) -> str | None:
    """The reply, or the failure, that an answer's name stands for."""
    path = given.answer.callee
    possible, other = called.replies, called.fails
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


def _arrival(given: syntax.GivenArrival, scene: Scene) -> ArrivalModel | None:
    path = given.message.callee
    delay = scene.delay(given.delay)
    name = scene.input(path)
    if name is None:
        event = scene.messages.event(path, scene.module)
        if event is None:
            return None
        name = event.name
    if name not in scene.met.awaited:
        scene.never("waits for", path)
    fields = partial(given.message, scene.shape(name), scene)
    return ArrivalModel(
        message=PatternModel(name=name, fields=fields),
        delay=delay,
        text=text_of(given.at),
        place=place(given.at),
    )


def _decision(given: syntax.GivenDecision, scene: Scene) -> DecisionModel | None:
    called = scene.callees.find(given.subject, scene.module)
    if called is None:
        return None
    return DecisionModel(
        subject=_subject(given, called, scene),
        decision=given.decision,
        delay=scene.delay(given.delay),
        times=_times(given.times, scene),
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
