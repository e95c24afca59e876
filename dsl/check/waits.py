"""Waiting: `await`, `race` and `sleep`."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from dsl import syntax
from dsl.cel.narrowing import narrowed
from dsl.cel.nodes import Node
from dsl.check import edits
from dsl.check.block import Block, Checked, place
from dsl.diagnostic import Note
from dsl.duration import said
from dsl.model import ArmModel, AwaitModel, EventModel, RaceModel, SleepModel
from dsl.types import ANY, BOOL, DURATION, Named, optional


def check_await(statement: syntax.Await, block: Block) -> AwaitModel | None:
    """`await Event as e when condition within limit on timeout { }`, or of a signal."""
    event = _awaited(statement.event, block)
    limit = _time(statement.within, block) if statement.within else None
    on_timeout = _on_timeout(statement, block)
    if limit and on_timeout is None and block.forward:
        message = "the saga may fail here, after the pivot"
        help = "add `on timeout { … }` and go on there"
        block.saga.report.add("F312", message, statement.at, "nothing is undone here", help)
    if event is None:
        return None
    inside = block.inner()
    if statement.name:
        inside.declare(statement.name, Named(event.name))
    condition = _condition(statement.condition, inside)
    if statement.name:
        inner = inside.scope.variables.get(statement.name.text)
        maybe = on_timeout is not None and not on_timeout.ends
        type = Named(event.name)
        block.declare(statement.name, optional(type) if maybe else type)
        if inner and inner.used and statement.name.text in block.scope.variables:
            block.scope.variables[statement.name.text].used = True
    return AwaitModel(
        event=event.name,
        signal=event.signal,
        name=statement.name.text if statement.name else None,
        condition=condition,
        text=statement.condition.at.text if statement.condition else "",
        within=limit,
        on_timeout=on_timeout.body if on_timeout else None,
        place=place(statement.at),
    )


def check_race(statement: syntax.Race, block: Block) -> tuple[RaceModel, bool]:
    """`race { on A as a { } after 7d { } }`: the model, and whether every way of it ends."""
    arms, ends = [], []
    taken: dict[str, syntax.Arm] = {}
    for arm in statement.arms:
        event = _awaited(arm.event, block)
        if event is None:
            continue
        if first := taken.get(event.name):
            also = (Note(first.event.at, "takes all of them"),)
            message, help = f"`{arm.event.text}` never comes here", "give the first one a `when`"
            block.saga.report.add("F307", message, arm.event.at, "never reached", help, also)
        elif arm.condition is None:
            taken[event.name] = arm
        inside = block.inner()
        if arm.name:
            inside.declare(arm.name, Named(event.name))
        condition = _condition(arm.condition, inside)
        if arm.condition and condition:
            inside = inside.knowing(narrowed(arm.condition, True))
        checked = inside.check(arm.body)
        inside.unused(arm.name)
        ends.append(checked.ends)
        arms.append(
            ArmModel(
                event=event.name,
                signal=event.signal,
                name=arm.name.text if arm.name else None,
                condition=condition,
                text=arm.condition.at.text if arm.condition else "",
                body=checked.body,
            )
        )
    limit = after = None
    if statement.after:
        limit = _time(statement.after.limit, block)
        after = block.inner().check(statement.after.body)
        ends.append(after.ends)
    model = RaceModel(
        arms=tuple(arms),
        limit=limit,
        after=after.body if after else (),
        place=place(statement.at),
    )
    return model, bool(ends) and all(ends)


def check_sleep(statement: syntax.Sleep, block: Block) -> SleepModel:
    """`sleep time`."""
    time = _time(statement.time, block)
    return SleepModel(time=time, text=statement.time.at.text, place=place(statement.at))


class _Awaited(NamedTuple):
    """What is waited for: an event, or a signal by its payload's name."""

    name: str
    signal: bool


def _awaited(path: syntax.Path, block: Block) -> _Awaited | None:
    """A bare name is a signal's; an event is named with its service."""
    if signal := block.saga.inputs.awaited(path):
        return _Awaited(signal, True)
    if len(path.parts) == 1:
        if block.saga.inputs.resembles(path):
            return None
        if not block.saga.messages.some_event(path.text):
            message = f"no signal or event named `{path.text}`"
            help = f"declare `signal {path.text} {{ … }}`, or name an event with its service"
            block.saga.report.add("F101", message, path.at, "not declared", help)
            return None
    event = _event(path, block)
    return _Awaited(event.name, False) if event else None


def _event(path: syntax.Path, block: Block) -> EventModel | None:
    """An event that is waited for; its key must be the saga's."""
    event = block.saga.messages.event(path, block.saga.module)
    if event is None:
        return None
    shape = {f.name: f for f in block.shape(event.name)}
    keyed = shape[event.key].type if event.key in shape else ANY
    if keyed != block.saga.key and ANY not in (keyed, block.saga.key):
        message = f"`{path.text}` is keyed by `{keyed}`"
        label = f"the saga's key is `{block.saga.key}`"
        help = "an event finds its saga by an equal key: give both the same type"
        block.saga.report.add("F303", message, path.at, label, help)
    return event


def _time(time: syntax.Expr, block: Block) -> Node:
    """How long to wait; before the pivot the saga's own limit ends a wait that is longer."""
    within = None if block.forward else block.saga.within
    told = time.value if isinstance(time, syntax.Literal) else None
    if within is not None and isinstance(told, timedelta) and told > within:
        message = f"a wait of {said(told)} cannot fit in its saga"
        help = f"wait for less, or allow the saga more than {said(within)}"
        block.saga.report.add("F309", message, time.at, f"`within` {said(within)}", help)
    return block.expression(time, DURATION).node


def _condition(condition: syntax.Expr | None, inside: Block) -> Node | None:
    return inside.expression(condition, BOOL).node if condition else None


def _on_timeout(statement: syntax.Await, block: Block) -> Checked | None:
    """What an `await` does when its time is up."""
    report = block.saga.report
    found: Checked | None = None
    first: syntax.Handler | None = None
    for handler in statement.handlers:
        at = handler.failure.at
        if handler.failure.text != "timeout":
            message = f"an `await` cannot end with `{handler.failure.text}`"
            report.add("F305", message, at, "cannot happen", "handle `timeout`, or remove it")
        elif statement.within is None:
            message = "without `within` nothing times out here"
            report.add("F305", message, at, "cannot happen", "add `within …`")
        elif first is not None:
            also = (Note(first.failure.at, "said here first"),)
            message, help = "a second handler for `timeout`", "keep one of them"
            report.add("F004", message, at, "said again", help, also)
        else:
            first = handler
            if handler.name:
                message, help = "`timeout` carries nothing to name", "remove `as …`"
                fix = edits.removed_with("as", handler.name.at)
                report.add("F305", message, handler.name.at, "nothing to name", help, fix=fix)
            found = block.inner().check(handler.body)
    return found
