"""Scenarios: what is given, what is run, what is expected."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dsl.cel.nodes import Node
from dsl.model.part import Made, Model, Place


class PatternModel(Model):
    """A message, an activity or a signal by its qualified name, with the values of those fields
    that are named."""

    name: str
    fields: dict[str, Node] = Field(default_factory=dict)


class AnswerModel(Model):
    """`given C replies R after d`, `given Activity returns value after d`: what a command or an
    activity with these values is answered, `times` times or always; with neither `answer` nor
    `value` it times out."""

    kind: Literal["answer"] = "answer"
    subject: PatternModel
    answer: PatternModel | None = None
    value: Node | None = None
    delay: Node | None = None
    times: int | None = None
    text: str = ""
    place: Place


class ArrivalModel(Model):
    """`given Event arrives after d`, from the start of the saga; or a signal or an update of the
    saga."""

    kind: Literal["arrival"] = "arrival"
    message: PatternModel
    delay: Node | None = None
    text: str = ""
    place: Place


class CancelModel(Model):
    """`given cancelled after d`, from the start of the saga."""

    kind: Literal["cancel"] = "cancel"
    delay: Node | None = None
    text: str = ""
    place: Place


class DecisionModel(Model):
    """`given C resolved by retry after d`: what a person decides, so long after a call of `C` with
    these values has been parked; `times` times or always."""

    kind: Literal["decision"] = "decision"
    subject: PatternModel
    decision: Literal["retry", "skip", "fail"]
    delay: Node | None = None
    times: int | None = None
    text: str = ""
    place: Place


Given = Annotated[AnswerModel | ArrivalModel | CancelModel | DecisionModel, Made()]


class RunModel(Model):
    """`run Saga(…)` with an expression for each parameter, or `run on Event(…)`: `event` then
    leads to the parameters."""

    saga: str
    arguments: dict[str, Node] = Field(default_factory=dict)
    event: PatternModel | None = None


class MessageExpectation(Model):
    """`expect C(…)`, or with `absent` `expect no C(…)`."""

    kind: Literal["message"] = "message"
    message: PatternModel
    absent: bool = False
    text: str = ""
    place: Place


class ResultExpectation(Model):
    """`expect result value`."""

    kind: Literal["result"] = "result"
    value: Node
    text: str = ""
    place: Place


class FailureExpectation(Model):
    """`expect failure part`: the reason holds this text."""

    kind: Literal["failure"] = "failure"
    part: Node
    text: str = ""
    place: Place


class ParkedExpectation(Model):
    """`expect parked`: the saga waits for a person."""

    kind: Literal["parked"] = "parked"
    text: str = ""
    place: Place


class WithinExpectation(Model):
    """`expect within limit`: the saga has ended by then."""

    kind: Literal["within"] = "within"
    limit: Node
    text: str = ""
    place: Place


Expectation = Annotated[
    MessageExpectation
    | ResultExpectation
    | FailureExpectation
    | ParkedExpectation
    | WithinExpectation,
    Made(),
]


class ScenarioModel(Model):
    """A test of a saga: what is given, what is run, what is expected. No part of a plan."""

    title: str
    run: RunModel
    givens: tuple[Given, ...] = ()
    expects: tuple[Expectation, ...] = ()
    doc: str = ""
    place: Place
