"""The plan: the small, typed, serialisable program that a worker interprets.

It is stored with every deployed version and read again for as long as a saga of that version
runs, so it is a wire form: fields are added with defaults, never removed or renamed. Durations
are in seconds.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from dsl.cel.nodes import Node
from dsl.model import (
    ActivityModel,
    Callee,
    CommandModel,
    EnumModel,
    EventModel,
    Exhausted,
    Order,
    Overflow,
    Place,
    RecordModel,
    TopicModel,
)
from dsl.types import TypeField


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BreakerPlan(_Part):
    """Opens after `failures` within so many seconds; lets one attempt through after `open_for`."""

    failures: int
    within: float
    open_for: float


class RatePlan(_Part):
    """So many messages in `per` seconds."""

    count: int
    per: float


class PolicyPlan(_Part):
    """What a call is granted; `initial`, `factor` and `maximum` space the attempts, each wait
    lengthened by up to the share `jitter`. `exhausted` says what follows when they are used up."""

    timeout: float
    attempts: int = 1
    initial: float = 1.0
    factor: float = 1.0
    maximum: float | None = None
    jitter: float = 0.0
    dead_letter: str | None = None
    exhausted: Exhausted = Exhausted.COMPENSATE
    order: Order = Order.ORDERED
    breaker: BreakerPlan | None = None
    rate: RatePlan | None = None
    max_in_flight: int | None = None
    overflow: Overflow = Overflow.BLOCK


class CallPlan(_Part):
    """What to call: its qualified name, which is not only a command's, and an expression for each
    field or parameter."""

    command: str
    callee: Callee = Callee.COMMAND
    arguments: dict[str, Node]
    policy: PolicyPlan


class HandlerPlan(_Part):
    """What to do on a failure: an event's qualified name, `timeout` or `exhausted`."""

    failure: str
    name: str | None = None
    body: tuple[Instruction, ...]


class StepPlan(_Part):
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


class LetPlan(_Part):
    """Gives a value a name."""

    kind: Literal["let"] = "let"
    name: str
    value: Node
    place: Place


class IfPlan(_Part):
    """Takes one of two ways."""

    kind: Literal["if"] = "if"
    condition: Node
    text: str
    then: tuple[Instruction, ...]
    otherwise: tuple[Instruction, ...] = ()
    place: Place


class SetPlan(_Part):
    """Gives a variable a new value."""

    kind: Literal["set"] = "set"
    name: str
    value: Node
    place: Place


class CasePlan(_Part):
    """What to do with one kind of message (its qualified name) or one symbol."""

    pattern: str
    name: str | None = None
    body: tuple[Instruction, ...]


class MatchPlan(_Part):
    """Takes the way of what the subject is."""

    kind: Literal["match"] = "match"
    subject: Node
    text: str
    cases: tuple[CasePlan, ...]
    otherwise: tuple[Instruction, ...] | None = None
    place: Place


class WhilePlan(_Part):
    """Repeats while the condition holds."""

    kind: Literal["while"] = "while"
    condition: Node
    text: str
    body: tuple[Instruction, ...]
    place: Place


class ForPlan(_Part):
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


class YieldPlan(_Part):
    """Ends a turn of a loop with a value."""

    kind: Literal["yield"] = "yield"
    value: Node
    place: Place


class ArmPlan(_Part):
    """One event of a race, or a signal of the saga, by its payload's qualified name."""

    event: str
    signal: bool = False
    name: str | None = None
    condition: Node | None = None
    text: str = ""
    body: tuple[Instruction, ...]


class RacePlan(_Part):
    """Waits for the first of several events; `limit` gives seconds."""

    kind: Literal["race"] = "race"
    arms: tuple[ArmPlan, ...]
    limit: Node | None = None
    after: tuple[Instruction, ...] = ()
    place: Place


class SleepPlan(_Part):
    """Waits for a time."""

    kind: Literal["sleep"] = "sleep"
    time: Node
    text: str = ""
    place: Place


class TryPlan(_Part):
    """Does the body; when it fails as a handler says, what completed in it is undone first."""

    kind: Literal["try"] = "try"
    body: tuple[Instruction, ...]
    handlers: tuple[HandlerPlan, ...]
    place: Place


class BranchPlan(_Part):
    """One of the ways of a `parallel`; `exports` are the names that are visible after it."""

    name: str
    body: tuple[Instruction, ...]
    exports: tuple[str, ...] = ()


class ParallelPlan(_Part):
    """Takes all ways at once."""

    kind: Literal["parallel"] = "parallel"
    path: str
    branches: tuple[BranchPlan, ...]
    place: Place


class AwaitPlan(_Part):
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


class EmitPlan(_Part):
    """Publishes an event."""

    kind: Literal["emit"] = "emit"
    path: str
    event: str
    arguments: dict[str, Node]
    place: Place


class FailPlan(_Part):
    """Fails the saga with a reason."""

    kind: Literal["fail"] = "fail"
    reason: Node
    text: str = ""
    place: Place


class ReturnPlan(_Part):
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


class ParameterPlan(_Part):
    """A parameter of a saga."""

    name: str
    type: TypeField


class StartPlan(_Part):
    """An event that starts the saga: an expression over `name` for each parameter."""

    event: str
    name: str
    arguments: dict[str, Node]


class SchedulePlan(_Part):
    """When the saga starts by itself: every so many seconds since 1970, or at the times of a cron
    of five fields in a zone; an expression over the scheduled time `at` for each parameter."""

    every: float | None = None
    cron: str | None = None
    zone: str = "UTC"
    arguments: dict[str, Node]


class SignalPlan(_Part):
    """What a saga may be told; `record` is the qualified name of its payload."""

    name: str
    record: str
    doc: str = ""


class QueryPlan(_Part):
    """What a saga may be asked: an expression over the names of its outermost block."""

    name: str
    type: TypeField
    value: Node
    doc: str = ""


class UpdatePlan(_Part):
    """What may be changed in a saga; `record` is the qualified name of its payload, whose fields
    are names here beside those of the saga's outermost block."""

    name: str
    record: str
    condition: Node | None = None
    text: str = ""
    sets: tuple[SetPlan, ...] = ()
    doc: str = ""


class SagaPlan(_Part):
    """One saga. `name` is qualified and is the Temporal workflow type."""

    name: str
    parameters: tuple[ParameterPlan, ...]
    result: TypeField | None = None
    key: Node
    starts: tuple[StartPlan, ...] = ()
    schedules: tuple[SchedulePlan, ...] = ()
    within: float | None = None
    signals: tuple[SignalPlan, ...] = ()
    queries: tuple[QueryPlan, ...] = ()
    updates: tuple[UpdatePlan, ...] = ()
    body: tuple[Instruction, ...]
    doc: str = ""

    @property
    def short(self) -> str:
        """The name without its module, unique within a deployment."""
        return self.name.rpartition(".")[2]


class Plan(_Part):
    """A module's sagas with all that they refer to: one deployable version. `children` are the
    sagas of other modules that they call, and those that these call: they run on this version."""

    format: Literal[1] = 1
    module: str
    sagas: dict[str, SagaPlan] = {}
    children: dict[str, SagaPlan] = {}
    activities: dict[str, ActivityModel] = {}
    commands: dict[str, CommandModel] = {}
    events: dict[str, EventModel] = {}
    records: dict[str, RecordModel] = {}
    enums: dict[str, EnumModel] = {}
    topics: tuple[TopicModel, ...] = ()

    @property
    def messages(self) -> tuple[CommandModel | EventModel, ...]:
        """All commands and events."""
        return (*self.commands.values(), *self.events.values())

    def saga(self, name: str) -> SagaPlan:
        """One of its own sagas or of those that they call. Raises KeyError."""
        return self.sagas[name] if name in self.sagas else self.children[name]

    def record(self, name: str) -> RecordModel:
        """A record or payload by qualified name. Raises KeyError."""
        return self.records[name]

    def enum(self, name: str) -> EnumModel:
        """An enum by qualified name. Raises KeyError."""
        return self.enums[name]


for _model in (
    *(HandlerPlan, StepPlan, IfPlan, CasePlan, MatchPlan, WhilePlan, ForPlan, BranchPlan),
    *(ParallelPlan, ArmPlan, RacePlan, AwaitPlan, TryPlan, SagaPlan),
):
    _model.model_rebuild()
