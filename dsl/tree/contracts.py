"""Policies, services and messages."""

from __future__ import annotations

from typing import Any

from dsl import syntax
from dsl.source import Span
from dsl.tree.builder import Builder
from dsl.tree.clauses import Clause, content, group, of_kind


class Contracts(Builder):
    """Builds contracts."""

    def policy_decl(self, at: Span, c: list[Any]) -> syntax.PolicyDecl:
        settings = of_kind(c, syntax.Setting)
        return syntax.PolicyDecl(c[0], content(c), settings, self._doc(at), at)

    def service_decl(self, at: Span, c: list[Any]) -> syntax.ServiceDecl:
        return syntax.ServiceDecl(
            c[0],
            of_kind(c, syntax.Setting),
            of_kind(c, syntax.CommandDecl),
            of_kind(c, syntax.EventDecl),
            self._doc(at),
            at,
        )

    def command_decl(self, at: Span, c: list[Any]) -> syntax.CommandDecl:
        said = self._once(of_kind(c, Clause), {"replies", "fails", "idempotent", "delivery"})
        return syntax.CommandDecl(
            name=c[0],
            key=c[1],
            fields=of_kind(group(c), syntax.FieldDecl),
            replies=said.get("replies", ()),
            fails=said.get("fails", ()),
            doc=self._doc(at),
            at=at,
            idempotent=said.get("idempotent"),
            delivery=said.get("delivery"),
        )

    def event_decl(self, at: Span, c: list[Any]) -> syntax.EventDecl:
        said = self._once(of_kind(c, Clause), {"sequence", "delivery"})
        return syntax.EventDecl(
            name=c[0],
            key=c[1],
            fields=of_kind(group(c), syntax.FieldDecl),
            doc=self._doc(at),
            at=at,
            sequence=said.get("sequence"),
            delivery=said.get("delivery"),
        )

    def replies(self, at: Span, c: list[Any]) -> Clause:
        return Clause("replies", tuple(c), at)

    def fails(self, at: Span, c: list[Any]) -> Clause:
        return Clause("fails", tuple(c), at)

    def by_message(self, at: Span, c: list[Any]) -> syntax.Idempotent:
        return syntax.Idempotent("message", (), at)

    def by_key(self, at: Span, c: list[Any]) -> syntax.Idempotent:
        return syntax.Idempotent("key", tuple(c), at)

    def by_version(self, at: Span, c: list[Any]) -> syntax.Idempotent:
        return syntax.Idempotent("version", tuple(c), at)
