"""What a scenario expects, held against what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dsl.cel.errors import CelError
from dsl.cel.nodes import Node
from dsl.model import (
    Expectation,
    FailureExpectation,
    MessageExpectation,
    ParkedExpectation,
    ResultExpectation,
    ScenarioModel,
    WithinExpectation,
)
from dsl.values import Struct
from orchestrator.testing import words
from orchestrator.testing.course import Course, End, Entry

Evaluate = Callable[[Node], Any]


@dataclass(slots=True)
class Check:
    """One expectation: as it is written, its line, whether it holds, and if not, why. `entry` is
    the line of the course that it is about; `of_message` tells that it expects a message."""

    text: str
    line: int
    ok: bool
    why: str = ""
    entry: Entry | None = None
    of_message: bool = False


@dataclass(slots=True)
class Verdict:
    """A scenario, its course and its checks."""

    scenario: ScenarioModel
    course: Course
    checks: list[Check] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the scenario ran and all of its expectations hold."""
        return self.course.end is not End.NOT_STARTED and all(c.ok for c in self.checks)


def judge(scenario: ScenarioModel, course: Course, evaluate: Evaluate) -> Verdict:
    """Every expectation on its own, but for messages: each is looked for after the one before."""
    verdict = Verdict(scenario, course)
    if course.end is End.NOT_STARTED:
        return verdict
    judging = _Judging(course, evaluate)
    for expectation in scenario.expects:
        check = Check(expectation.text, expectation.place.line, ok=True)
        check.of_message = isinstance(expectation, MessageExpectation) and not expectation.absent
        try:
            check.why = judging.wrong(expectation, check)
        except CelError as error:
            check.why = f"cannot be evaluated: {error}"
        check.ok = not check.why
        verdict.checks.append(check)
    return verdict


class _Judging:
    """Goes through the expectations of one scenario in order."""

    def __init__(self, course: Course, evaluate: Evaluate) -> None:
        self._course = course
        self._evaluate = evaluate
        self._next = 0  # the first message that the next expectation may be

    def wrong(self, expectation: Expectation, check: Check) -> str:
        """Why it does not hold; empty when it does."""
        match expectation:
            case MessageExpectation(absent=True):
                return self._absent(expectation, check)
            case MessageExpectation():
                return self._message(expectation, check)
            case ResultExpectation():
                return self._result(self._evaluate(expectation.value))
            case FailureExpectation():
                return self._failure(self._evaluate(expectation.part))
            case ParkedExpectation():
                return "" if self._course.end is End.PARKED else self._instead()
            case WithinExpectation():
                return self._within(self._evaluate(expectation.limit).total_seconds())

    def _message(self, expectation: MessageExpectation, check: Check) -> str:
        named = self._named(expectation)
        messages = self._course.messages
        alike = [(n, e) for n, e in enumerate(messages) if _type(e) == expectation.message.name]
        for n, entry in alike:
            if n >= self._next and not _differences(entry, named):
                self._next, check.entry = n + 1, entry
                return ""
        if not alike:
            return "never sent"
        if early := [(n, e) for n, e in alike if not _differences(e, named)]:
            n, check.entry = early[-1]
            if n == self._next - 1:
                return f"not sent again after {words.elapsed(check.entry.at)}"
            before = _name(messages[self._next - 1])
            return f"sent at {words.elapsed(check.entry.at)}, before {before}"
        later = [e for n, e in alike if n >= self._next] or [alike[-1][1]]
        check.entry = min(later, key=lambda e: len(_differences(e, named)))
        return ", ".join(_differences(check.entry, named))

    def _absent(self, expectation: MessageExpectation, check: Check) -> str:
        named = self._named(expectation)
        for entry in self._course.messages:
            if _type(entry) == expectation.message.name and not _differences(entry, named):
                check.entry = entry
                return f"sent at {words.elapsed(entry.at)}"
        return ""

    def _named(self, expectation: MessageExpectation) -> dict[str, Any]:
        return {n: self._evaluate(e) for n, e in expectation.message.fields.items()}

    def _result(self, wanted: Any) -> str:
        if self._course.end is not End.RETURNED:
            return self._instead()
        found = self._course.result
        if found == wanted:
            return ""
        if isinstance(found, Struct) and isinstance(wanted, Struct):
            return ", ".join(_apart(found, wanted))
        return f"it is {words.shown(found)}"

    def _failure(self, part: str) -> str:
        if self._course.end not in (End.FAILED, End.CANCELLED):
            return self._instead()
        if part.casefold() in self._course.reason.casefold():
            return ""
        return f"it failed otherwise: {self._course.reason}"

    def _within(self, limit: float) -> str:
        if not self._course.ended:
            return self._instead()
        if self._course.at <= limit:
            return ""
        return f"it took {words.elapsed(self._course.at)}"

    def _instead(self) -> str:
        return f"it {ending(self._course)}"


def ending(course: Course) -> str:
    """How the saga ended, as a sentence without a subject."""
    match course.end:
        case End.RETURNED:
            return "ended" if course.result is None else f"returned {words.shown(course.result)}"
        case End.FAILED:
            return f"failed: {course.reason}"
        case End.CANCELLED:
            return "was cancelled"
        case End.PARKED:
            return f"is parked: {course.reason}"
        case End.WAITING:
            return f"still waits for {course.reason}, which never comes"
        case End.ENDLESS:
            return f"still ran after {words.elapsed(course.at)}"
        case End.NOT_STARTED:
            return f"cannot start: {course.reason}"


def _type(entry: Entry) -> str:
    assert entry.message is not None
    return entry.message.type


def _name(entry: Entry) -> str:
    return f"`{entry.text.partition('(')[0]}`"


def _differences(entry: Entry, named: dict[str, Any]) -> list[str]:
    assert entry.message is not None
    return _apart(entry.message, named)


def _apart(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    return [f"{n} is {words.shown(found.get(n))}" for n, w in wanted.items() if found.get(n) != w]
