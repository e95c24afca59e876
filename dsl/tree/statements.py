"""What a saga does."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from dsl import literal, syntax
from dsl.lexer import Token
from dsl.source import Span
from dsl.tree.builder import Builder
from dsl.tree.clauses import Clause, content, first, named, of_kind


class Statements(Builder):
    """Builds statements."""

    def bare_return(self, at: Span, c: list[Any]) -> syntax.Return:
        return syntax.Return(None, at)

    def step(self, at: Span, c: list[Any]) -> syntax.Step:
        once = self._once(of_kind(c, Clause), {"policy", "undo"})
        return syntax.Step(
            c[0],
            c[1],
            once.get("policy"),
            once.get("undo"),
            of_kind(c, syntax.Handler),
            self._doc(at),
            at,
        )

    def pivot_step(self, at: Span, c: list[Any]) -> syntax.Step:
        step: syntax.Step = c[0]
        return replace(step, pivot=True, doc=self._doc(at), at=at)

    def handler(self, at: Span, c: list[Any]) -> syntax.Handler:
        return syntax.Handler(c[0], named(c[1:]), c[-1], at)

    def if_statement(self, at: Span, c: list[Any]) -> syntax.If:
        return syntax.If(c[0], c[1], c[2] if len(c) > 2 else None, at)

    def var(self, at: Span, c: list[Any]) -> syntax.Var:
        return syntax.Var(c[0], content(c), c[-1], at)

    def match_statement(self, at: Span, c: list[Any]) -> syntax.Match:
        return syntax.Match(c[0], of_kind(c, syntax.Case), content(c), at)

    def case(self, at: Span, c: list[Any]) -> syntax.Case:
        return syntax.Case(c[0], named(c[1:]), c[-1], at)

    def for_statement(self, at: Span, c: list[Any]) -> syntax.For:
        c = [x for x in c if not isinstance(x, Token)]
        return syntax.For(c[0], c[1], content(c), c[-1], at)

    def at_most(self, at: Span, c: list[Any]) -> Clause:
        return Clause("parallel", self.constant(at, literal.read_int, c[0].text).value, at)

    def try_statement(self, at: Span, c: list[Any]) -> syntax.Try:
        return syntax.Try(c[0], of_kind(c, syntax.Handler), at)

    def race(self, at: Span, c: list[Any]) -> syntax.Race:
        return syntax.Race(of_kind(c, syntax.Arm), first(c, syntax.After), at)

    def arm(self, at: Span, c: list[Any]) -> syntax.Arm:
        return syntax.Arm(c[0], named(c[1:]), content(c), c[-1], at)

    def await_statement(self, at: Span, c: list[Any]) -> syntax.Await:
        once = self._once(of_kind(c, Clause), {"when", "within"})
        return syntax.Await(
            c[0],
            named(c[1:]),
            once.get("when"),
            once.get("within"),
            of_kind(c, syntax.Handler),
            at,
        )
