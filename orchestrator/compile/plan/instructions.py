"""What a saga does, instruction by instruction."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dsl.cel.nodes import Node
from dsl.model import Callee, Place
from orchestrator.compile.plan.part import Part
from orchestrator.compile.plan.policies import PolicyPlan


class CallPlan(Part):
    """What to call: its qualified name, which is not only a command's, and an expression for each
    field or parameter. `once` says of a command that it is delivered at most once."""

    command: str
    callee: Callee = Callee.COMMAND
    once: bool = False
    arguments: dict[str, Node]
    policy: PolicyPlan


class HandlerPlan(Part):
    """What to do on a failure: an event's qualified name, `timeout` or `exhausted`."""

    failure: str
    name: str | None = None
    body: tuple[Instruction, ...]


class StepPlan(Part):
    """Calls and waits for the answer, which becomes the variable `name`. `path` is the
    step's own within the saga; ids of messages and activities are made from it. `needed` tells, of
    a step that may be parked, that its answer is read. It is undone by a call, or by the
    instructions of `undo_body`, or `undoes_itself`: it calls a saga that undoes what it did."""

    kind: Literal["step"] = "step"
    path: str
    name: str
    call: CallPlan
    undo: CallPlan | None = None
    undo_body: tuple[Instruction, ...] | None = None
    undoes_itself: bool = False
    undo_reads_reply: bool = False
    handlers: tuple[HandlerPlan, ...] = ()
    pivot: bool = False
    needed: bool = False
    place: Place


class LetPlan(Part):
    """Gives a value a name."""

    kind: Literal["let"] = "let"
    name: str
    value: Node
    place: Place


class IfPlan(Part):
    """Takes one of two ways."""

    kind: Literal["if"] = "if"
    condition: Node
    text: str
    then: tuple[Instruction, ...]
    otherwise: tuple[Instruction, ...] = ()
    place: Place


class SetPlan(Part):
    """Gives a variable a new value."""

    kind: Literal["set"] = "set"
    name: str
    value: Node
    place: Place


class CasePlan(Part):
    """What to do with one kind of message (its qualified name) or one symbol."""

    pattern: str
    name: str | None = None
    body: tuple[Instruction, ...]


class MatchPlan(Part):
    """Takes the way of what the subject is."""

    kind: Literal["match"] = "match"
    subject: Node
    text: str
    cases: tuple[CasePlan, ...]
    otherwise: tuple[Instruction, ...] | None = None
    place: Place


class WhilePlan(Part):
    """Repeats while the condition holds."""

    kind: Literal["while"] = "while"
    condition: Node
    text: str
    body: tuple[Instruction, ...]
    place: Place


class ForPlan(Part):
    """Does the body for each item, in order or `at_most` so many at once; `collect` is the
    variable that gets the list of what the turns yielded, in the items' order."""

    kind: Literal["for"] = "for"
    name: str
    items: Node
    text: str
    at_most: int | None = None
    body: tuple[Instruction, ...]
    collect: str | None = None
    place: Place


class YieldPlan(Part):
    """Ends a turn of a loop with a value."""

    kind: Literal["yield"] = "yield"
    value: Node
    place: Place


class ArmPlan(Part):
    """One event of a race, or a signal of the saga, by its payload's qualified name."""

    event: str
    signal: bool = False
    name: str | None = None
    condition: Node | None = None
    text: str = ""
    body: tuple[Instruction, ...]


class RacePlan(Part):
    """Waits for the first of several events; `limit` gives seconds."""

    kind: Literal["race"] = "race"
    arms: tuple[ArmPlan, ...]
    limit: Node | None = None
    after: tuple[Instruction, ...] = ()
    place: Place


class SleepPlan(Part):
    """Waits for a time."""

    kind: Literal["sleep"] = "sleep"
    time: Node
    text: str = ""
    place: Place


class TryPlan(Part):
    """Does the body; when it fails as a handler says, what completed in it is undone first."""

    kind: Literal["try"] = "try"
    body: tuple[Instruction, ...]
    handlers: tuple[HandlerPlan, ...]
    place: Place


class BranchPlan(Part):
    """One of the ways of a `parallel`; `exports` are the names that are visible after it."""

    name: str
    body: tuple[Instruction, ...]
    exports: tuple[str, ...] = ()


class ParallelPlan(Part):
    """Takes all ways at once."""

    kind: Literal["parallel"] = "parallel"
    path: str
    branches: tuple[BranchPlan, ...]
    place: Place


class AwaitPlan(Part):
    """Waits for an event of the saga's key that meets the condition, or for a signal of the saga,
    by its payload's qualified name; `within` gives seconds."""

    kind: Literal["await"] = "await"
    path: str
    event: str
    signal: bool = False
    name: str | None = None
    condition: Node | None = None
    text: str = ""
    within: Node | None = None
    on_timeout: tuple[Instruction, ...] | None = None
    place: Place


class EmitPlan(Part):
    """Publishes an event."""

    kind: Literal["emit"] = "emit"
    path: str
    event: str
    arguments: dict[str, Node]
    place: Place


class FailPlan(Part):
    """Fails the saga with a reason."""

    kind: Literal["fail"] = "fail"
    reason: Node
    text: str = ""
    place: Place


class ReturnPlan(Part):
    """Ends the saga with a result."""

    kind: Literal["return"] = "return"
    value: Node | None = None
    place: Place


Instruction = Annotated[
    StepPlan
    | LetPlan
    | SetPlan
    | IfPlan
    | MatchPlan
    | WhilePlan
    | ForPlan
    | YieldPlan
    | ParallelPlan
    | RacePlan
    | AwaitPlan
    | SleepPlan
    | TryPlan
    | EmitPlan
    | FailPlan
    | ReturnPlan,
    Field(discriminator="kind"),
]


for _model in (
    *(HandlerPlan, StepPlan, IfPlan, CasePlan, MatchPlan, WhilePlan, ForPlan, BranchPlan),
    *(ParallelPlan, ArmPlan, RacePlan, AwaitPlan, TryPlan),
):
    _model.model_rebuild()
