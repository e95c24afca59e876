"""Scenarios: what is given, what is run, what is expected."""

from __future__ import annotations

from typing import Literal

from msgspec import field

from dsl.cel.nodes import Node
from dsl.model.part import Part, Place


class PatternModel(Part, frozen=True, kw_only=True):
    """A message, an activity or a signal by its qualified name, with the values of those fields
    that are named."""

    name: str
    fields: dict[str, Node] = field(default_factory=dict)


class AnswerModel(Part, frozen=True, kw_only=True):
    """`given C replies R after d`, `given Activity returns value after d`: what a command or an
    activity with these values is answered, `times` times or always; with neither `answer` nor
    `value` it times out."""

    subject: PatternModel
    answer: PatternModel | None = None
    value: Node | None = None
    delay: Node | None = None
    times: int | None = None
    text: str = ""
    place: Place


class ArrivalModel(Part, frozen=True, kw_only=True):
    """`given Event arrives after d`, from the start of the saga; or a signal or an update of the
    saga."""

    message: PatternModel
    delay: Node | None = None
    text: str = ""
    place: Place


class CancelModel(Part, frozen=True, kw_only=True):
    """`given cancelled after d`, from the start of the saga."""

    delay: Node | None = None
    text: str = ""
    place: Place


class DecisionModel(Part, frozen=True, kw_only=True):
    """`given C resolved by retry after d`: what a person decides, so long after a call of `C` with
    these values has been parked; `times` times or always."""

    subject: PatternModel
    decision: Literal["retry", "skip", "fail"]
    delay: Node | None = None
    times: int | None = None
    text: str = ""
    place: Place


Given = AnswerModel | ArrivalModel | CancelModel | DecisionModel


class RunModel(Part, frozen=True, kw_only=True):
    """`run Saga(…)` with an expression for each parameter, or `run on Event(…)`: `event` then
    leads to the parameters."""

    saga: str
    arguments: dict[str, Node] = field(default_factory=dict)
    event: PatternModel | None = None


class MessageExpectation(Part, frozen=True, kw_only=True):
    """`expect C(…)`, or with `absent` `expect no C(…)`."""

    message: PatternModel
    absent: bool = False
    text: str = ""
    place: Place


class ResultExpectation(Part, frozen=True, kw_only=True):
    """`expect result value`."""

    value: Node
    text: str = ""
    place: Place


class FailureExpectation(Part, frozen=True, kw_only=True):
    """`expect failure part`: the reason holds this text."""

    part: Node
    text: str = ""
    place: Place


class ParkedExpectation(Part, frozen=True, kw_only=True):
    """`expect parked`: the saga waits for a person."""

    text: str = ""
    place: Place


class WithinExpectation(Part, frozen=True, kw_only=True):
    """`expect within limit`: the saga has ended by then."""

    limit: Node
    text: str = ""
    place: Place


Expectation = (
    MessageExpectation
    | ResultExpectation
    | FailureExpectation
    | ParkedExpectation
    | WithinExpectation
)


class ScenarioModel(Part, frozen=True, kw_only=True):
    """A test of a saga: what is given, what is run, what is expected. No part of a plan."""

    title: str
    run: RunModel
    givens: tuple[Given, ...] = ()
    expects: tuple[Expectation, ...] = ()
    doc: str = ""
    place: Place
