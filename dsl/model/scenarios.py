"""Scenarios: what is given, what is run, what is expected."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from dsl.cel.nodes import Node
from dsl.model.part import Part, Place


@dataclass(frozen=True, kw_only=True, slots=True)
class PatternModel(Part):
    """A message, an activity or a signal by its qualified name, with the values of those fields
    that are named."""

    name: str
    fields: dict[str, Node] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerModel(Part):
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


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrivalModel(Part):
    """`given Event arrives after d`, from the start of the saga; or a signal or an update of the
    saga."""

    message: PatternModel
    delay: Node | None = None
    text: str = ""
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelModel(Part):
    """`given cancelled after d`, from the start of the saga."""

    delay: Node | None = None
    text: str = ""
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionModel(Part):
    """`given C resolved by retry after d`: what a person decides, so long after a call of `C` with
    these values has been parked; `times` times or always."""

    subject: PatternModel
    decision: Literal["retry", "skip", "fail"]
    delay: Node | None = None
    times: int | None = None
    text: str = ""
    place: Place


Given = AnswerModel | ArrivalModel | CancelModel | DecisionModel


@dataclass(frozen=True, kw_only=True, slots=True)
class RunModel(Part):
    """`run Saga(…)` with an expression for each parameter, or `run on Event(…)`: `event` then
    leads to the parameters."""

    saga: str
    arguments: dict[str, Node] = field(default_factory=dict)
    event: PatternModel | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageExpectation(Part):
    """`expect C(…)`, or with `absent` `expect no C(…)`."""

    message: PatternModel
    absent: bool = False
    text: str = ""
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultExpectation(Part):
    """`expect result value`."""

    value: Node
    text: str = ""
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class FailureExpectation(Part):
    """`expect failure part`: the reason holds this text."""

    part: Node
    text: str = ""
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class ParkedExpectation(Part):
    """`expect parked`: the saga waits for a person."""

    text: str = ""
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class WithinExpectation(Part):
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


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioModel(Part):
    """A test of a saga: what is given, what is run, what is expected. No part of a plan."""

    title: str
    run: RunModel
    givens: tuple[Given, ...] = ()
    expects: tuple[Expectation, ...] = ()
    doc: str = ""
    place: Place
