"""What the blocks of a saga hold, found by where it stands: a walk for each would be quadratic."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import TypeVar

from dsl import syntax
from dsl.source import Span

_Kept = syntax.Step | syntax.Set | syntax.Yield | syntax.Await
_Naming = syntax.Step | syntax.Let | syntax.Var | syntax.Await
T = TypeVar("T", bound=_Kept)


class Contents:
    """The steps, sets, yields and awaits of a saga's body, in the order of the text; the sets of
    its updates among them. An `undo { }` has contents of its own."""

    def __init__(self, block: syntax.Block, inputs: tuple[syntax.Input, ...] = ()) -> None:
        everything = list(statements(block))
        body = [s for s in everything if isinstance(s, _Kept)]
        sets = [s for i in inputs if isinstance(i, syntax.UpdateDecl) for s in i.sets]
        self._all = sorted([*sets, *body], key=lambda s: s.at.start) if sets else body
        named = (s.name for s in everything if isinstance(s, _Naming) and s.name)
        self._named = {name.text: name for name in reversed(list(named))}
        self._starts = [s.at.start for s in self._all]

    def named(self, name: str) -> syntax.Identifier | None:
        """Where a name is declared first, in whichever block."""
        return self._named.get(name)

    def within(self, at: Span, kind: type[T]) -> list[T]:
        """Those of a kind that stand inside a span."""
        first, end = (bisect_left(self._starts, place) for place in (at.start, at.end))
        return [s for s in self._all[first:end] if isinstance(s, kind)]

    def changed(self, at: Span) -> frozenset[str]:
        """The names of the variables that are set inside a span."""
        return frozenset(s.name.text for s in self.within(at, syntax.Set))


def statements(body: syntax.Block, undos: bool = False) -> Iterator[syntax.Statement]:
    """Every statement of a block, those that stand in another one after it; with `undos` those of
    an `undo { }` too."""
    stack: list[syntax.Statement] = list(reversed(body.statements))
    while stack:
        statement = stack.pop()
        yield statement
        stack.extend(s for b in reversed(_inner(statement)) for s in reversed(b))
        if undos and isinstance(statement, syntax.Step):
            undo = statement.undo
            stack.extend(reversed(undo.statements) if isinstance(undo, syntax.Block) else ())


def _inner(statement: syntax.Statement) -> list[tuple[syntax.Statement, ...]]:
    """The statements of the blocks inside one, in the order of the text."""
    match statement:
        case syntax.Step(handlers=handlers) | syntax.Await(handlers=handlers):
            return [h.body.statements for h in handlers]
        case syntax.Let(value=syntax.For() as loop):
            return [(loop,)]
        case syntax.If(then=then, otherwise=otherwise):
            return [then.statements, _otherwise(otherwise)]
        case syntax.Match(cases=cases, otherwise=otherwise):
            return [*(c.body.statements for c in cases), _otherwise(otherwise)]
        case syntax.While(body=body) | syntax.For(body=body):
            return [body.statements]
        case syntax.Try(body=body, handlers=handlers):
            return [body.statements, *(h.body.statements for h in handlers)]
        case syntax.Race(arms=arms, after=after):
            return [*(a.body.statements for a in arms), _otherwise(after.body if after else None)]
        case syntax.Parallel(branches=branches):
            return [b.body.statements for b in branches]
    return []


def _otherwise(part: syntax.Block | syntax.If | None) -> tuple[syntax.Statement, ...]:
    match part:
        case None:
            return ()
        case syntax.If():
            return (part,)
        case syntax.Block():
            return part.statements
