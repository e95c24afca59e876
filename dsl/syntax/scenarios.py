"""Scenarios: what is given, what is run, what is expected."""

from __future__ import annotations

import typing
from dataclasses import dataclass

from dsl.source import Span
from dsl.syntax.expressions import Argument, Expr, Invocation, Literal
from dsl.syntax.names import Path
from dsl.syntax.node import Node

#: What a person decides for what is parked.
Decision = typing.Literal["retry", "skip", "fail"]


@dataclass(frozen=True, slots=True)
class GivenAnswer(Node):
    """`given C(field: value) replies R(…) after d 2 times`; with `fails` it is a failure."""

    subject: Path
    only: tuple[Argument, ...]
    answer: Invocation
    fails: bool
    delay: Expr | None
    times: Literal | None
    at: Span


@dataclass(frozen=True, slots=True)
class GivenTimeout(Node):
    """`given C(field: value) times out 2 times`."""

    subject: Path
    only: tuple[Argument, ...]
    times: Literal | None
    at: Span


@dataclass(frozen=True, slots=True)
class GivenValue(Node):
    """`given Activity(parameter: value) returns expr after d 2 times`."""

    subject: Path
    only: tuple[Argument, ...]
    value: Expr
    delay: Expr | None
    times: Literal | None
    at: Span


@dataclass(frozen=True, slots=True)
class GivenArrival(Node):
    """`given Event(…) arrives after d`."""

    message: Invocation
    delay: Expr | None
    at: Span


@dataclass(frozen=True, slots=True)
class GivenCancel(Node):
    """`given cancelled after d`."""

    delay: Expr | None
    at: Span


@dataclass(frozen=True, slots=True)
class GivenDecision(Node):
    """`given C(field: value) resolved by retry after d 2 times`."""

    subject: Path
    only: tuple[Argument, ...]
    decision: Decision
    delay: Expr | None
    times: Literal | None
    at: Span


Given = GivenAnswer | GivenTimeout | GivenValue | GivenArrival | GivenCancel | GivenDecision


@dataclass(frozen=True, slots=True)
class RunSaga(Node):
    """`run Saga(…)`; with `on_event`, `run on Event(…)`."""

    callee: Invocation
    on_event: bool
    at: Span


@dataclass(frozen=True, slots=True)
class ExpectMessage(Node):
    """`expect C(…)`; with `absent`, `expect no C(…)`."""

    message: Invocation
    absent: bool
    at: Span


@dataclass(frozen=True, slots=True)
class ExpectResult(Node):
    """`expect result value`."""

    value: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class ExpectFailure(Node):
    """`expect failure part`."""

    part: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class ExpectParked(Node):
    """`expect parked`."""

    at: Span


@dataclass(frozen=True, slots=True)
class ExpectWithin(Node):
    """`expect within limit`."""

    limit: Expr
    at: Span


Expect = ExpectMessage | ExpectResult | ExpectFailure | ExpectParked | ExpectWithin


@dataclass(frozen=True, slots=True)
class ScenarioDecl(Node):
    """`scenario "title" { given … run … expect … }`, its parts in the order of the text."""

    title: Literal
    parts: tuple[Given | RunSaga | Expect, ...]
    doc: str
    at: Span
