"""Sagas and activities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from dsl import syntax
from dsl.diagnostic import Diagnostic
from dsl.source import Span
from dsl.tree.builder import Builder
from dsl.tree.clauses import Clause, content, first, named, of_kind


class Sagas(Builder):
    """Builds sagas and activities."""

    def activity_decl(self, at: Span, c: list[Any]) -> syntax.ActivityDecl:
        function = self._text(c[-1])
        return syntax.ActivityDecl(
            c[0], of_kind(c, syntax.Parameter), content(c), function, self._doc(at), at
        )

    def saga_decl(self, at: Span, c: list[Any]) -> syntax.SagaDecl:
        clauses = of_kind(c, Clause)
        once = self._once(clauses, {"result", "key", "within", "policy"})
        inputs, body = c[-1].content
        starts = self._starts(clauses)
        return syntax.SagaDecl(
            name=c[0],
            parameters=of_kind(c, syntax.Parameter),
            result=once.get("result"),
            key=once.get("key"),
            starts=of_kind(starts, syntax.StartsOn),
            within=once.get("within"),
            policy=once.get("policy"),
            body=body,
            doc=self._doc(at),
            at=at,
            inputs=inputs,
            schedules=tuple(s for s in starts if not isinstance(s, syntax.StartsOn)),
        )

    def saga_body(self, at: Span, c: list[Any]) -> Clause:
        inputs = tuple(i for i in c if isinstance(i, syntax.Input))
        statements = tuple(s for s in c if not isinstance(s, syntax.Input))
        return Clause("body", (inputs, syntax.Block(statements, at)), at)

    def signal_decl(self, at: Span, c: list[Any]) -> syntax.SignalDecl:
        return syntax.SignalDecl(c[0], c[1], self._doc(at), at)

    def query_decl(self, at: Span, c: list[Any]) -> syntax.QueryDecl:
        return syntax.QueryDecl(c[0], c[1].content, c[2], self._doc(at), at)

    def update_decl(self, at: Span, c: list[Any]) -> syntax.UpdateDecl:
        sets = of_kind(c, syntax.Set)
        return syntax.UpdateDecl(c[0], c[1], content(c), sets, self._doc(at), at)

    def _starts(self, clauses: Sequence[Clause]) -> list[syntax.StartsOn | syntax.Scheduled]:
        starts: list[syntax.StartsOn | syntax.Scheduled] = []
        for i, clause in enumerate(clauses):
            word, content, at = clause.word, clause.content, clause.at
            if word == "starts":
                starts.append(content)
            elif word == "arguments":
                if i == 0 or clauses[i - 1].word != "starts":
                    message, help = "`with (…)` stands alone", "put it after a `starts`"
                    first = Span(self.source, at.start, at.start + len("with"))
                    label = "no `starts` before it"
                    self.diagnostics.append(Diagnostic("F001", message, first, label, help))
                    continue
                last = starts.pop()
                starts.append(replace(last, arguments=tuple(content), at=last.at.to(at)))
        return starts

    def parameter(self, at: Span, c: list[Any]) -> syntax.Parameter:
        return syntax.Parameter(c[0], c[1])

    def starts_on(self, at: Span, c: list[Any]) -> Clause:
        return Clause("starts", syntax.StartsOn(c[0], named(c[1:]), (), at), at)

    def starts_every(self, at: Span, c: list[Any]) -> Clause:
        return Clause("starts", syntax.StartsEvery(c[0], (), at), at)

    def starts_at(self, at: Span, c: list[Any]) -> Clause:
        zone = first(c, syntax.Literal)
        return Clause("starts", syntax.StartsAt(self._text(c[0]), zone, (), at), at)

    def zone(self, at: Span, c: list[Any]) -> syntax.Literal:
        return self._text(c[-1])
