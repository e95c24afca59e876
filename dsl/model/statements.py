"""What a saga does."""

from __future__ import annotations

from enum import StrEnum

from dsl.cel.nodes import Node
from dsl.model.part import Part, Place
from dsl.model.policies import PolicyModel


class Callee(StrEnum):
    """What a step calls."""

    COMMAND = "command"
    ACTIVITY = "activity"
    SAGA = "saga"


class CallModel(Part, frozen=True, kw_only=True):
    """What is called, with one expression for each field or parameter. `command` is its qualified
    name, whatever it is; `once` says of a command that it is delivered at most once."""

    command: str
    callee: Callee = Callee.COMMAND
    once: bool = False
    arguments: dict[str, Node]


class HandlerModel(Part, frozen=True, kw_only=True):
    """`on Failure as f { }`; `failure` is an event's qualified name, `timeout` or `exhausted`."""

    failure: str
    name: str | None = None
    body: tuple[Statement, ...]


class StepModel(Part, frozen=True, kw_only=True):
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


class LetModel(Part, frozen=True, kw_only=True):
    """`let name = value`."""

    name: str
    value: Node
    place: Place


class SetModel(Part, frozen=True, kw_only=True):
    """`set name = value`."""

    name: str
    value: Node
    place: Place


class IfModel(Part, frozen=True, kw_only=True):
    """`if`; an `else if` is an If alone in `otherwise`. `text` is the condition as written."""

    condition: Node
    text: str
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()
    place: Place


class CaseModel(Part, frozen=True, kw_only=True):
    """A case of a `match`: a message's qualified name, or an enum's symbol."""

    pattern: str
    name: str | None = None
    body: tuple[Statement, ...]


class MatchModel(Part, frozen=True, kw_only=True):
    """`match`; without `otherwise` the cases are all there is."""

    subject: Node
    text: str
    cases: tuple[CaseModel, ...]
    otherwise: tuple[Statement, ...] | None = None
    place: Place


class WhileModel(Part, frozen=True, kw_only=True):
    """`while condition { }`."""

    condition: Node
    text: str
    body: tuple[Statement, ...]
    place: Place


class ForModel(Part, frozen=True, kw_only=True):
    """`for name in items { }`, in order or `at_most` so many at once; `collect` is the name that
    the list of its yields gets."""

    name: str
    items: Node
    text: str
    at_most: int | None = None
    body: tuple[Statement, ...]
    collect: str | None = None
    place: Place


class YieldModel(Part, frozen=True, kw_only=True):
    """`yield value`."""

    value: Node
    place: Place


class ArmModel(Part, frozen=True, kw_only=True):
    """An event of a `race`, or a signal of the saga, by its payload's qualified name."""

    event: str
    signal: bool = False
    name: str | None = None
    condition: Node | None = None
    text: str = ""
    body: tuple[Statement, ...]


class RaceModel(Part, frozen=True, kw_only=True):
    """`race`: the first of the arms; `after` when `limit` has passed before."""

    arms: tuple[ArmModel, ...]
    limit: Node | None = None
    after: tuple[Statement, ...] = ()
    place: Place


class SleepModel(Part, frozen=True, kw_only=True):
    """`sleep time`."""

    time: Node
    text: str = ""
    place: Place


class TryModel(Part, frozen=True, kw_only=True):
    """`try`: what completed inside is undone before a handler runs."""

    body: tuple[Statement, ...]
    handlers: tuple[HandlerModel, ...]
    place: Place


class BranchModel(Part, frozen=True, kw_only=True):
    """One branch of a `parallel`."""

    name: str
    body: tuple[Statement, ...]


class ParallelModel(Part, frozen=True, kw_only=True):
    """`parallel`: all of the branches, side by side."""

    branches: tuple[BranchModel, ...]
    place: Place


class AwaitModel(Part, frozen=True, kw_only=True):
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


class EmitModel(Part, frozen=True, kw_only=True):
    """`emit Event(args)`; with `once` the event is published at most once."""

    event: str
    arguments: dict[str, Node]
    once: bool = False
    place: Place


class FailModel(Part, frozen=True, kw_only=True):
    """`fail reason`; the reason is a string."""

    reason: Node
    text: str = ""
    place: Place


class ReturnModel(Part, frozen=True, kw_only=True):
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
