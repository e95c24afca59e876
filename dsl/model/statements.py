"""What a saga does."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from dsl.cel.nodes import Node
from dsl.model.part import Made, Model, Place
from dsl.model.policies import PolicyModel


class Callee(StrEnum):
    """What a step calls."""

    COMMAND = "command"
    ACTIVITY = "activity"
    SAGA = "saga"


class CallModel(Model):
    """What is called, with one expression for each field or parameter. `command` is its qualified
    name, whatever it is."""

    command: str
    callee: Callee = Callee.COMMAND
    arguments: dict[str, Node]


class HandlerModel(Model):
    """`on Failure as f { }`; `failure` is an event's qualified name, `timeout` or `exhausted`."""

    failure: str
    name: str | None = None
    body: tuple[Statement, ...]


class StepModel(Model):
    """A step. What undoes it is a call or, in `undo_body`, statements; both are None where nothing
    does, and where `undoes_itself` tells that a called saga undoes what it did. `undo_reads_reply`
    tells that the undo reads this step's own answer."""

    kind: Literal["step"] = "step"
    name: str
    call: CallModel
    policy: PolicyModel
    undo: CallModel | None = None
    undo_policy: PolicyModel | None = None
    undo_body: tuple[Statement, ...] | None = None
    undoes_itself: bool = False
    undo_reads_reply: bool = False
    handlers: tuple[HandlerModel, ...] = ()
    pivot: bool = False
    doc: str = ""
    place: Place


class LetModel(Model):
    """`let name = value`."""

    kind: Literal["let"] = "let"
    name: str
    value: Node
    place: Place


class SetModel(Model):
    """`set name = value`."""

    kind: Literal["set"] = "set"
    name: str
    value: Node
    place: Place


class IfModel(Model):
    """`if`; an `else if` is an If alone in `otherwise`. `text` is the condition as written."""

    kind: Literal["if"] = "if"
    condition: Node
    text: str
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()
    place: Place


class CaseModel(Model):
    """A case of a `match`: a message's qualified name, or an enum's symbol."""

    pattern: str
    name: str | None = None
    body: tuple[Statement, ...]


class MatchModel(Model):
    """`match`; without `otherwise` the cases are all there is."""

    kind: Literal["match"] = "match"
    subject: Node
    text: str
    cases: tuple[CaseModel, ...]
    otherwise: tuple[Statement, ...] | None = None
    place: Place


class WhileModel(Model):
    """`while condition { }`."""

    kind: Literal["while"] = "while"
    condition: Node
    text: str
    body: tuple[Statement, ...]
    place: Place


class ForModel(Model):
    """`for name in items { }`, in order or `at_most` so many at once; `collect` is the name that
    the list of its yields gets."""

    kind: Literal["for"] = "for"
    name: str
    items: Node
    text: str
    at_most: int | None = None
    body: tuple[Statement, ...]
    collect: str | None = None
    place: Place


class YieldModel(Model):
    """`yield value`."""

    kind: Literal["yield"] = "yield"
    value: Node
    place: Place


class ArmModel(Model):
    """An event of a `race`, or a signal of the saga, by its payload's qualified name."""

    event: str
    signal: bool = False
    name: str | None = None
    condition: Node | None = None
    text: str = ""
    body: tuple[Statement, ...]


class RaceModel(Model):
    """`race`: the first of the arms; `after` when `limit` has passed before."""

    kind: Literal["race"] = "race"
    arms: tuple[ArmModel, ...]
    limit: Node | None = None
    after: tuple[Statement, ...] = ()
    place: Place


class SleepModel(Model):
    """`sleep time`."""

    kind: Literal["sleep"] = "sleep"
    time: Node
    text: str = ""
    place: Place


class TryModel(Model):
    """`try`: what completed inside is undone before a handler runs."""

    kind: Literal["try"] = "try"
    body: tuple[Statement, ...]
    handlers: tuple[HandlerModel, ...]
    place: Place


class BranchModel(Model):
    """One branch of a `parallel`."""

    name: str
    body: tuple[Statement, ...]


class ParallelModel(Model):
    """`parallel`: all of the branches, side by side."""

    kind: Literal["parallel"] = "parallel"
    branches: tuple[BranchModel, ...]
    place: Place


class AwaitModel(Model):
    """`await Event as name when condition within limit on timeout { }`; with `signal` it is a
    signal of the saga, by its payload's qualified name."""

    kind: Literal["await"] = "await"
    event: str
    signal: bool = False
    name: str | None = None
    condition: Node | None = None
    text: str = ""
    within: Node | None = None
    on_timeout: tuple[Statement, ...] | None = None
    place: Place


class EmitModel(Model):
    """`emit Event(args)`; with `once` the event is published at most once."""

    kind: Literal["emit"] = "emit"
    event: str
    arguments: dict[str, Node]
    once: bool = False
    place: Place


class FailModel(Model):
    """`fail reason`; the reason is a string."""

    kind: Literal["fail"] = "fail"
    reason: Node
    text: str = ""
    place: Place


class ReturnModel(Model):
    """`return value`."""

    kind: Literal["return"] = "return"
    value: Node | None = None
    place: Place


Statement = Annotated[
    StepModel
    | LetModel
    | SetModel
    | IfModel
    | MatchModel
    | WhileModel
    | ForModel
    | YieldModel
    | ParallelModel
    | RaceModel
    | AwaitModel
    | SleepModel
    | TryModel
    | EmitModel
    | FailModel
    | ReturnModel,
    Made(),
]


for _model in (
    *(HandlerModel, StepModel, IfModel, CaseModel, MatchModel, WhileModel, ForModel, BranchModel),
    *(ParallelModel, ArmModel, RaceModel, AwaitModel, TryModel),
):
    _model.model_rebuild()
