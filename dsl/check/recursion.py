"""Sagas that call each other in a circle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dsl import syntax
from dsl.check.circles import circles
from dsl.check.contents import statements
from dsl.check.names import Module
from dsl.check.report import Report
from dsl.diagnostic import Note

#: How many calls of a circle are shown.
_SHOWN = 5


class _Call(NamedTuple):
    """A step that calls a saga, by its qualified name."""

    callee: str
    path: syntax.Path


def check_recursion(modules: Iterable[Module], report: Report) -> frozenset[str]:
    """Reports each circle of calls once, at the first one of it; returns the qualified names of the
    sagas that stand in one. An instance would call others without end, each under a key of its
    own, and what is to be undone would grow with them."""
    calls = {
        name: list(_calls(saga, module)) for module in modules for name, saga in _sagas(module)
    }
    found = circles({n: sorted({c.callee for c in made}) for n, made in calls.items()})
    for circle in found:
        inside = [
            (name, call)
            for name, made in calls.items()
            if name in circle
            for call in made
            if call.callee in circle
        ]
        (name, first), *others = inside
        also = tuple(
            Note(call.path.at, f"`{_short(caller)}` calls `{_short(call.callee)}`")
            for caller, call in others[:_SHOWN]
        )
        if len(circle) == 1:
            message = f"`{_short(name)}` calls itself"
            help = "repeat its statements in a loop"
        else:
            message = f"`{_short(name)}` calls itself by way of `{_short(first.callee)}`"
            help = "let one of them end without calling the other"
        report.add("F332", message, first.path.at, "a circle of calls", help, also)
    return frozenset[str]().union(*found)


def _sagas(module: Module) -> Iterator[tuple[str, syntax.SagaDecl]]:
    for symbol in module.own.values():
        if isinstance(symbol.declaration, syntax.SagaDecl):
            yield symbol.name, symbol.declaration


def _calls(saga: syntax.SagaDecl, module: Module) -> Iterator[_Call]:
    for statement in statements(saga.body):
        if isinstance(statement, syntax.Step):
            path = statement.call.callee
            symbol = module.find(path.text)
            if symbol and isinstance(symbol.declaration, syntax.SagaDecl):
                yield _Call(symbol.name, path)


def _short(name: str) -> str:
    return name.rpartition(".")[2]
