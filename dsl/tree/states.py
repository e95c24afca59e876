"""States made of events."""

from __future__ import annotations

from typing import Any

from dsl import syntax
from dsl.lexer import Token
from dsl.source import Span
from dsl.tree.builder import Builder
from dsl.tree.clauses import Clause, contents, group, named, of_kind


class States(Builder):
    """Builds aggregates and projections."""

    def aggregate_decl(self, at: Span, c: list[Any]) -> syntax.AggregateDecl:
        said = self._once(of_kind(c, Clause), {"snapshot", "buffer", "within"})
        return syntax.AggregateDecl(
            name=c[0],
            key=c[1],
            snapshot=said.get("snapshot"),
            buffer=said.get("buffer"),
            within=said.get("within"),
            fields=of_kind(c, syntax.FieldDecl),
            reactions=of_kind(c, syntax.Reaction),
            doc=self._doc(at),
            at=at,
        )

    def projection_decl(self, at: Span, c: list[Any]) -> syntax.ProjectionDecl:
        fields, reactions = of_kind(c, syntax.FieldDecl), of_kind(c, syntax.Reaction)
        return syntax.ProjectionDecl(c[0], c[1], fields, reactions, self._doc(at), at)

    def snapshot(self, at: Span, c: list[Token]) -> Clause:
        return Clause("snapshot", self._integer(c[0]), at)

    def buffer(self, at: Span, c: list[Token]) -> Clause:
        return Clause("buffer", self._integer(c[0]), at)

    def reaction(self, at: Span, c: list[Any]) -> syntax.Reaction:
        said = contents(c)
        row, condition = said.get("row"), said.get("when")
        return syntax.Reaction(c[0], named(c), row, condition, tuple(group(c)), at)
