"""What a saga does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dsl.cel.nodes import Node
from dsl.model.part import Part, Place
from dsl.model.policies import PolicyModel


class Callee(StrEnum):
    """What a step calls."""

    COMMAND = "command"
    ACTIVITY = "activity"
    SAGA = "saga"


@dataclass(frozen=True, kw_only=True, slots=True)
class CallModel(Part):
    """What is called, with one expression for each field or parameter. `command` is its qualified
    name, whatever it is."""

    command: str
    callee: Callee = Callee.COMMAND
    arguments: dict[str, Node]


@dataclass(frozen=True, kw_only=True, slots=True)
class HandlerModel(Part):
    """`on Failure as f { }`; `failure` is an event's qualified name, `timeout` or `exhausted`."""

    failure: str
    name: str | None = None
    body: tuple[Statement, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class StepModel(Part):
    """A step. What undoes it is a call or, in `undo_body`, statements; both are None where nothing
    does, and where `undoes_itself` tells that a called saga undoes what it did. `undo_reads_reply`
    tells that the undo reads this step's own answer."""

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


@dataclass(frozen=True, kw_only=True, slots=True)
class LetModel(Part):
    """`let name = value`."""

    name: str
    value: Node
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class SetModel(Part):
    """`set name = value`."""

    name: str
    value: Node
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class IfModel(Part):
    """`if`; an `else if` is an If alone in `otherwise`. `text` is the condition as written."""

    condition: Node
    text: str
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseModel(Part):
    """A case of a `match`: a message's qualified name, or an enum's symbol."""

    pattern: str
    name: str | None = None
    body: tuple[Statement, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchModel(Part):
    """`match`; without `otherwise` the cases are all there is."""

    subject: Node
    text: str
    cases: tuple[CaseModel, ...]
    otherwise: tuple[Statement, ...] | None = None
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class WhileModel(Part):
    """`while condition { }`."""

    condition: Node
    text: str
    body: tuple[Statement, ...]
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class ForModel(Part):
    """`for name in items { }`, in order or `at_most` so many at once; `collect` is the name that
    the list of its yields gets."""

    name: str
    items: Node
    text: str
    at_most: int | None = None
    body: tuple[Statement, ...]
    collect: str | None = None
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class YieldModel(Part):
    """`yield value`."""

    value: Node
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmModel(Part):
    """An event of a `race`, or a signal of the saga, by its payload's qualified name."""

    event: str
    signal: bool = False
    name: str | None = None
    condition: Node | None = None
    text: str = ""
    body: tuple[Statement, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RaceModel(Part):
    """`race`: the first of the arms; `after` when `limit` has passed before."""

    arms: tuple[ArmModel, ...]
    limit: Node | None = None
    after: tuple[Statement, ...] = ()
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class SleepModel(Part):
    """`sleep time`."""

    time: Node
    text: str = ""
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class TryModel(Part):
    """`try`: what completed inside is undone before a handler runs."""

    body: tuple[Statement, ...]
    handlers: tuple[HandlerModel, ...]
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class BranchModel(Part):
    """One branch of a `parallel`."""

    name: str
    body: tuple[Statement, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ParallelModel(Part):
    """`parallel`: all of the branches, side by side."""

    branches: tuple[BranchModel, ...]
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class AwaitModel(Part):
    """`await Event as name when condition within limit on timeout { }`; with `signal` it is a
    signal of the saga, by its payload's qualified name."""

    event: str
    signal: bool = False
    name: str | None = None
    condition: Node | None = None
    text: str = ""
    within: Node | None = None
    on_timeout: tuple[Statement, ...] | None = None
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class EmitModel(Part):
    """`emit Event(args)`; with `once` the event is published at most once."""

    event: str
    arguments: dict[str, Node]
    once: bool = False
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class FailModel(Part):
    """`fail reason`; the reason is a string."""

    reason: Node
    text: str = ""
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnModel(Part):
    """`return value`."""

    value: Node | None = None
    place: Place


Statement = (
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
    | ReturnModel
)
