"""Scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dsl import syntax
from dsl.source import Span
from dsl.tree.builder import Builder
from dsl.tree.clauses import Clause, Group, contents, first, group, of_kind


class Scenarios(Builder):
    """Builds scenarios."""

    def scenario_decl(self, at: Span, c: list[Any]) -> syntax.ScenarioDecl:
        title = self._text(c[0])
        return syntax.ScenarioDecl(title, tuple(c[1:]), self._doc(at), at)

    def given_answer(self, at: Span, c: list[Any]) -> syntax.GivenAnswer:
        ((fails, answer),) = (x.content for x in of_kind(c, Clause) if x.word == "answer")
        delay, times = self._repeated(c)
        return syntax.GivenAnswer(c[0], group(c), answer, fails, delay, times, at)

    def reply_answer(self, at: Span, c: list[Any]) -> Clause:
        return Clause("answer", (False, _message(c)), at)

    def failure_answer(self, at: Span, c: list[Any]) -> Clause:
        return Clause("answer", (True, _message(c)), at)

    def given_timeout(self, at: Span, c: list[Any]) -> syntax.GivenTimeout:
        _, times = self._repeated(c)
        return syntax.GivenTimeout(c[0], group(c), times, at)

    def given_value(self, at: Span, c: list[Any]) -> syntax.GivenValue:
        value = next(x for x in c[1:] if not isinstance(x, Group | Clause))
        delay, times = self._repeated(c)
        return syntax.GivenValue(c[0], group(c), value, delay, times, at)

    def given_arrival(self, at: Span, c: list[Any]) -> syntax.GivenArrival:
        delay, _ = self._repeated(c)
        return syntax.GivenArrival(_message(c), delay, at)

    def given_cancel(self, at: Span, c: list[Any]) -> syntax.GivenCancel:
        delay, _ = self._repeated(c)
        return syntax.GivenCancel(delay, at)

    def given_decision(self, at: Span, c: list[Any]) -> syntax.GivenDecision:
        (decision,) = (x.content for x in of_kind(c, Clause) if x.word == "decision")
        delay, times = self._repeated(c)
        return syntax.GivenDecision(c[0], group(c), decision, delay, times, at)

    def by_retry(self, at: Span, c: list[Any]) -> Clause:
        return Clause("decision", "retry", at)

    def by_skip(self, at: Span, c: list[Any]) -> Clause:
        return Clause("decision", "skip", at)

    def by_fail(self, at: Span, c: list[Any]) -> Clause:
        return Clause("decision", "fail", at)

    def _repeated(self, c: list[Any]) -> tuple[syntax.Expr | None, syntax.Literal | None]:
        """When something is given, and how often."""
        clauses = contents(c)
        return clauses.get("after"), clauses.get("times")

    def times(self, at: Span, c: list[Any]) -> Clause:
        return Clause("times", self._integer(c[0]), at)

    def run_saga(self, at: Span, c: list[Any]) -> syntax.RunSaga:
        return syntax.RunSaga(c[0], False, at)

    def run_event(self, at: Span, c: list[Any]) -> syntax.RunSaga:
        return syntax.RunSaga(c[0], True, at)

    def expect_message(self, at: Span, c: list[Any]) -> syntax.ExpectMessage:
        return syntax.ExpectMessage(_message(c), False, at)

    def expect_no_message(self, at: Span, c: list[Any]) -> syntax.ExpectMessage:
        return syntax.ExpectMessage(_message(c), True, at)


def _message(children: Sequence[Any]) -> syntax.Invocation:
    """A message in a scenario: without brackets it has any values."""
    path, given = children[0], first(children, Group)
    at = path.at if given is None else path.at.to(given.at)
    return syntax.Invocation(path, given or (), at)
