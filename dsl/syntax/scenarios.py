"""Scenarios: what is given, what is run, what is expected."""

from __future__ import annotations

import typing

from dsl.source import Span
from dsl.syntax.expressions import Argument, Expr, Invocation, Literal
from dsl.syntax.names import Path
from dsl.syntax.node import Node

#: What a person decides for what is parked.
Decision = typing.Literal["retry", "skip", "fail"]


class GivenAnswer(Node, frozen=True):
    """`given C(field: value) replies R(…) after d 2 times`; with `fails` it is a failure."""

    subject: Path
    only: tuple[Argument, ...]
    answer: Invocation
    fails: bool
    delay: Expr | None
    times: Literal | None
    at: Span


class GivenTimeout(Node, frozen=True):
    """`given C(field: value) times out 2 times`."""

    subject: Path
    only: tuple[Argument, ...]
    times: Literal | None
    at: Span


class GivenValue(Node, frozen=True):
    """`given Activity(parameter: value) returns expr after d 2 times`."""

    subject: Path
    only: tuple[Argument, ...]
    value: Expr
    delay: Expr | None
    times: Literal | None
    at: Span


class GivenArrival(Node, frozen=True):
    """`given Event(…) arrives after d`."""

    message: Invocation
    delay: Expr | None
    at: Span


class GivenCancel(Node, frozen=True):
    """`given cancelled after d`."""

    delay: Expr | None
    at: Span


class GivenDecision(Node, frozen=True):
    """`given C(field: value) resolved by retry after d 2 times`."""

    subject: Path
    only: tuple[Argument, ...]
    decision: Decision
    delay: Expr | None
    times: Literal | None
    at: Span


Given = GivenAnswer | GivenTimeout | GivenValue | GivenArrival | GivenCancel | GivenDecision


class RunSaga(Node, frozen=True):
    """`run Saga(…)`; with `on_event`, `run on Event(…)`."""

    callee: Invocation
    on_event: bool
    at: Span


class ExpectMessage(Node, frozen=True):
    """`expect C(…)`; with `absent`, `expect no C(…)`."""

    message: Invocation
    absent: bool
    at: Span


class ExpectResult(Node, frozen=True):
    """`expect result value`."""

    value: Expr
    at: Span


class ExpectFailure(Node, frozen=True):
    """`expect failure part`."""

    part: Expr
    at: Span


class ExpectParked(Node, frozen=True):
    """`expect parked`."""

    at: Span


class ExpectWithin(Node, frozen=True):
    """`expect within limit`."""

    limit: Expr
    at: Span


Expect = ExpectMessage | ExpectResult | ExpectFailure | ExpectParked | ExpectWithin


class ScenarioDecl(Node, frozen=True):
    """`scenario "title" { given … run … expect … }`, its parts in the order of the text."""

    title: Literal
    parts: tuple[Given | RunSaga | Expect, ...]
    doc: str
    at: Span
