"""What a scenario expects: messages in order, an end, a time."""

from __future__ import annotations

from dsl import syntax
from dsl.check.block import place
from dsl.check.scene import Scene, partial, text_of
from dsl.model import (
    Expectation,
    FailureExpectation,
    MessageExpectation,
    ParkedExpectation,
    PatternModel,
    ResultExpectation,
    WithinExpectation,
)
from dsl.types import DURATION, STRING


def check_expect(expect: syntax.Expect, scene: Scene) -> Expectation | None:
    """The model of one `expect`; None, with a report, where it cannot be made."""
    text, at = text_of(expect.at), place(expect.at)
    match expect:
        case syntax.ExpectMessage():
            return _message(expect, scene)
        case syntax.ExpectResult():
            return _result(expect, scene)
        case syntax.ExpectFailure():
            part = scene.expression(expect.part, STRING)
            return FailureExpectation(part=part, text=text, place=at)
        case syntax.ExpectParked():
            return ParkedExpectation(text=text, place=at)
        case syntax.ExpectWithin():
            limit = scene.expression(expect.limit, DURATION)
            return WithinExpectation(limit=limit, text=text, place=at)


def _message(expect: syntax.ExpectMessage, scene: Scene) -> MessageExpectation | None:
    path = expect.message.callee
    if len(path.parts) == 1:  # an activity's name stands alone
        called = scene.callees.find(path, scene.module)
        if called is None:
            return None
        name, shape = called.name, called.fields
    else:
        found = scene.messages.sent(path, scene.module)
        if found is None:
            return None
        name, shape = found, scene.shape(found)
    if name not in scene.met.sent:
        scene.never("sends" if len(path.parts) > 1 else "calls", path)
    fields = partial(expect.message, shape, scene)
    return MessageExpectation(
        message=PatternModel(name=name, fields=fields),
        absent=expect.absent,
        text=text_of(expect.at),
        place=place(expect.at),
    )


def _result(expect: syntax.ExpectResult, scene: Scene) -> ResultExpectation | None:
    if scene.saga is None:
        return None
    if scene.saga.result is None:
        saga = scene.saga.name.rpartition(".")[2]
        message, help = f"`{saga}` returns nothing", "expect its messages instead"
        scene.report.add("F201", message, expect.value.at, "a result", help)
        return None
    value = scene.expression(expect.value, scene.saga.result)
    return ResultExpectation(value=value, text=text_of(expect.at), place=place(expect.at))
