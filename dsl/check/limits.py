"""Limits that a saga's whole course cannot keep: its `within`, and the length of its history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from dsl import syntax
from dsl.budget.budget import best_of, pivot, reads_clock
from dsl.budget.history import CANCELLED, DEADLINE, END, MANY, MOST, START
from dsl.budget.walk import Turns, Walk
from dsl.budget.ways import ON, Ways
from dsl.check.block import place
from dsl.check.contents import statements
from dsl.check.report import Report
from dsl.duration import said
from dsl.model import SagaModel
from dsl.source import Span

#: What a run takes besides its statements.
_FRAME = START + END + DEADLINE + CANCELLED


def check_limits(saga: syntax.SagaDecl, model: SagaModel, report: Report) -> None:
    """Reports a saga that waits for longer than it may take, and one whose history may outgrow
    what Temporal allows where it cannot continue as new."""
    walked = _walked(model, clock=True)
    _time(saga, model, [ways for ways, _ in walked], report)
    if _longest(walked) > MANY and not reads_clock(model):
        walked = _walked(model, clock=False)
    _history(saga, _longest(walked), report)
    _loops(saga, [loop for _, loops in walked for loop in loops], report)


def _walked(model: SagaModel, clock: bool) -> list[tuple[Ways, list[Turns]]]:
    """Each statement of the outermost block, with the loops in it. A list that comes with the data
    is taken to have one item: what fits in a message is no danger."""
    walks = [(Walk(clock, unknown=1), statement) for statement in model.body]
    return [(walk.one(statement), walk.loops) for walk, statement in walks]


def _time(saga: syntax.SagaDecl, model: SagaModel, ways: Sequence[Ways], report: Report) -> None:
    if saga.within is None or model.within is None or _reported(saga.at, report):
        return
    whole = ON
    for way in ways[: pivot(model)]:
        whole = whole.then(way)
    least = best_of(whole).seconds
    if least > model.within.total_seconds():
        message = f"`{saga.name.text}` cannot be done within its time"
        label = f"its waits alone take {said(timedelta(seconds=least))}"
        report.add("F309", message, saga.within.at, label, "allow it more time, or wait less")


def _reported(at: Span, report: Report) -> bool:
    """Whether a single wait in there is too long by itself."""
    return any(
        d.code == "F309" and d.at.source is at.source and at.start <= d.at.start < at.end
        for d in report.diagnostics
    )


def _longest(walked: Iterable[tuple[Ways, list[Turns]]]) -> float:
    """The most events between two places where the saga can continue as new."""
    longest = run = float(_FRAME)
    for ways, loops in walked:
        turns = [loop.turn.worst.history * loop.at_once for loop in loops if loop.continues]
        if turns:
            longest = max(longest, run, *(_FRAME + events for events in turns))
            run = _FRAME
        else:
            run += ways.worst.history
    return max(longest, run)


def _history(saga: syntax.SagaDecl, longest: float, report: Report) -> None:
    if longest <= MANY:
        return
    error = longest > MOST
    message = f"`{saga.name.text}` may write {longest:,.0f} events of history in one run"
    label = f"Temporal {'ends a run after' if error else 'warns after'} {MOST if error else MANY:,}"
    help = "move a part of it into a saga of its own, or into a loop in its own course"
    found = report.add if error else report.warn
    found("F374", message, saga.name.at, label, help)


def _loops(saga: syntax.SagaDecl, loops: Iterable[Turns], report: Report) -> None:
    """Warns of loops that go on without end where they cannot continue as new."""
    found = {
        turns.place
        for turns in loops
        if turns.open and not turns.continues and turns.turn.worst.history
    }
    for statement in statements(saga.body, undos=True) if found else ():
        if place(statement.at) in found:
            message = "this loop's history may grow without end"
            label = "cannot continue as new from here"
            help = "put it into the saga's own course, or into a saga of its own"
            word = Span(statement.at.source, statement.at.start, statement.at.start + len("while"))
            report.warn("F374", message, word, label, help)
