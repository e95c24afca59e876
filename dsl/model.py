"""The typed model: what a checked flow means, with every name resolved.

Names are qualified: a record is `module.Name`, a message `module.service.Name`. The data and
contract models are part of the stored plan too, so their fields are only ever added, with
defaults.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic_core import CoreSchema, core_schema

from dsl.cel.nodes import Node
from dsl.types import TypeField


class Model(BaseModel):
    """Frozen, and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# --- data ------------------------------------------------------------------------------------


class FieldModel(Model):
    """A field; without a default and not optional, it must be given. `constraint` is a boolean
    expression over the fields of its record."""

    name: str
    type: TypeField
    number: int | None = None
    default: Node | None = None
    constraint: Node | None = None
    constraint_text: str = ""
    doc: str = ""


class RecordModel(Model):
    """A record, or the payload of a message."""

    name: str
    fields: tuple[FieldModel, ...]
    doc: str = ""


class EnumModel(Model):
    """An enum; on the wire its symbol."""

    name: str
    symbols: tuple[str, ...]
    doc: str = ""


# --- policies --------------------------------------------------------------------------------


class Retry(Model):
    """How often and how soon to try again. `attempts` counts the first one; the wait before
    attempt n+1 is `min(initial * factor**(n-1), maximum)`, made longer by up to the share
    `jitter`."""

    attempts: int = 1
    initial: timedelta = timedelta(seconds=1)
    factor: float = 1.0
    maximum: timedelta | None = None
    jitter: float = 0.0


class Exhausted(StrEnum):
    """What follows when a step's attempts are used up: the saga fails and compensates, or it waits
    for a person's decision."""

    COMPENSATE = "compensate"
    PARK = "park"


class Order(StrEnum):
    """What the later messages of a key do while one waits for a retry: wait behind it, hold the
    whole partition, or go on."""

    ORDERED = "ordered"
    BLOCKING = "blocking"
    UNORDERED = "unordered"


class Overflow(StrEnum):
    """What happens to messages beyond the limits: the sender waits, they are dropped, or kept."""

    BLOCK = "block"
    SHED = "shed"
    BUFFER = "buffer"


class Breaker(Model):
    """Opens after `failures` within a time, and lets one attempt through after `open_for`."""

    failures: int
    within: timedelta
    open_for: timedelta


class RateLimit(Model):
    """So many messages in each time."""

    count: int
    per: timedelta


class PolicyModel(Model):
    """What a step is granted: `timeout` for each attempt, `retry`, and the topic that takes the
    command when all attempts are used up, and the limits of what it talks to."""

    name: str = ""
    timeout: timedelta = timedelta(seconds=10)
    retry: Retry = Retry()
    dead_letter: str | None = None
    exhausted: Exhausted = Exhausted.COMPENSATE
    order: Order = Order.ORDERED
    circuit_breaker: Breaker | None = None
    rate_limit: RateLimit | None = None
    max_in_flight: int | None = None
    overflow: Overflow = Overflow.BLOCK
    doc: str = ""


# --- contracts -------------------------------------------------------------------------------


class TopicModel(Model):
    """A Kafka topic as a service declares it."""

    name: str
    partitions: int = 6
    retention: timedelta | None = None


class WireFormat(StrEnum):
    """How a service's messages are written."""

    JSON = "json"
    AVRO = "avro"
    PROTOBUF = "protobuf"


class Compatibility(StrEnum):
    """What a new version of a service's messages owes to the last one, or to all before it: that
    its readers read old messages (`backward`), that old readers read its messages (`forward`), or
    both (`full`)."""

    NONE = "none"
    BACKWARD = "backward"
    BACKWARD_TRANSITIVE = "backward_transitive"
    FORWARD = "forward"
    FORWARD_TRANSITIVE = "forward_transitive"
    FULL = "full"
    FULL_TRANSITIVE = "full_transitive"


class Idempotency(Model):
    """How a command's handler knows one that it has handled: by the message's id, by the fields
    of a business key, or by the field that holds the version it applies to."""

    by: Literal["message", "key", "version"] = "message"
    fields: tuple[str, ...] = ()


class Delivery(StrEnum):
    """How often an event reaches who consumes it."""

    AT_MOST_ONCE = "at_most_once"
    AT_LEAST_ONCE = "at_least_once"
    EXACTLY_ONCE = "exactly_once"


class CommandModel(Model):
    """A command: `name` is its payload's qualified name, replies and failures are events'; `wire`
    is its service's format."""

    name: str
    key: str
    topic: str
    replies: tuple[str, ...]
    fails: tuple[str, ...] = ()
    doc: str = ""
    idempotency: Idempotency = Idempotency()
    wire: WireFormat = WireFormat.JSON


class EventModel(Model):
    """An event: `name` is its payload's qualified name; `sequence` the field that numbers the
    events of a key; `wire` its service's format."""

    name: str
    key: str
    topic: str
    doc: str = ""
    sequence: str | None = None
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    wire: WireFormat = WireFormat.JSON


class ServiceModel(Model):
    """One bounded context's contract. `outside` tells that its events come from where no flow can
    see it."""

    name: str
    commands_topic: TopicModel
    events_topic: TopicModel
    format: WireFormat = WireFormat.JSON
    compatibility: Compatibility = Compatibility.FULL_TRANSITIVE
    policy: PolicyModel | None = None
    outside: bool = False
    commands: tuple[CommandModel, ...] = ()
    events: tuple[EventModel, ...] = ()
    doc: str = ""


# --- sagas -----------------------------------------------------------------------------------


class _Made:
    """Marks statements as made by the checker: a saga's model is never read from text, and working
    out for each class what may stand inside it would cost every start of the program 40 ms."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.any_schema()


class Place(Model):
    """Where a statement stands: the file as the user named it, 1-based line and column."""

    file: str
    line: int
    column: int


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


class IfModel(Model):
    """`if`; an `else if` is an If alone in `otherwise`. `text` is the condition as written."""

    kind: Literal["if"] = "if"
    condition: Node
    text: str
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()
    place: Place


class SetModel(Model):
    """`set name = value`."""

    kind: Literal["set"] = "set"
    name: str
    value: Node
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
    """`emit Event(args)`."""

    kind: Literal["emit"] = "emit"
    event: str
    arguments: dict[str, Node]
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
    _Made(),
]


class ParameterModel(Model):
    """A parameter of a saga or an activity."""

    name: str
    type: TypeField


class ActivityModel(Model):
    """A Python function, `function` as `package.module:name`; without `result` it gives null."""

    name: str
    parameters: tuple[ParameterModel, ...]
    result: TypeField | None = None
    function: str
    doc: str = ""


class StartModel(Model):
    """`starts on Event as name with (…)`: one expression for each parameter, over `name`."""

    event: str
    name: str
    arguments: dict[str, Node]


class ScheduleModel(Model):
    """`starts every interval` or `starts at "cron" in "zone"`, with one expression for each
    parameter, over the scheduled time `at`."""

    every: timedelta | None = None
    cron: str | None = None
    zone: str = "UTC"
    arguments: dict[str, Node]


class SignalModel(Model):
    """`signal name { fields }`; `record` is the qualified name of its payload."""

    name: str
    record: str
    doc: str = ""


class QueryModel(Model):
    """`query name -> type = value`; the value reads the names of the saga's outermost block."""

    name: str
    type: TypeField
    value: Node
    doc: str = ""


class UpdateModel(Model):
    """`update name { fields } when condition { sets }`; `record` is the qualified name of its
    payload, whose fields are names here beside those of the saga's outermost block."""

    name: str
    record: str
    condition: Node | None = None
    text: str = ""
    sets: tuple[SetModel, ...] = ()
    doc: str = ""


class SagaModel(Model):
    """A saga. `key` is an expression over the parameters; `within` a constant duration."""

    name: str
    parameters: tuple[ParameterModel, ...]
    result: TypeField | None = None
    key: Node
    starts: tuple[StartModel, ...] = ()
    schedules: tuple[ScheduleModel, ...] = ()
    within: timedelta | None = None
    signals: tuple[SignalModel, ...] = ()
    queries: tuple[QueryModel, ...] = ()
    updates: tuple[UpdateModel, ...] = ()
    body: tuple[Statement, ...]
    doc: str = ""
    place: Place


# --- scenarios -------------------------------------------------------------------------------


class PatternModel(Model):
    """A message, an activity or a signal by its qualified name, with the values of those fields
    that are named."""

    name: str
    fields: dict[str, Node] = {}


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


Given = Annotated[AnswerModel | ArrivalModel | CancelModel | DecisionModel, _Made()]


class RunModel(Model):
    """`run Saga(…)` with an expression for each parameter, or `run on Event(…)`: `event` then
    leads to the parameters."""

    saga: str
    arguments: dict[str, Node] = {}
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
    _Made(),
]


class ScenarioModel(Model):
    """A test of a saga: what is given, what is run, what is expected. No part of a plan."""

    title: str
    run: RunModel
    givens: tuple[Given, ...] = ()
    expects: tuple[Expectation, ...] = ()
    doc: str = ""
    place: Place


class AssignModel(Model):
    """A new value for a field of a state."""

    name: str
    value: Node


class ReactionModel(Model):
    """What an event makes of a state: of an aggregate's when the condition holds, of the row of a
    projection that `row` names (without it the event's field of the key's name)."""

    event: str
    name: str | None = None
    row: Node | None = None
    condition: Node | None = None
    text: str = ""
    sets: tuple[AssignModel, ...] = ()
    place: Place


class AggregateModel(Model):
    """A state made of the events of a key. Early events wait in a buffer: so many, so long."""

    name: str
    key: str
    key_type: TypeField
    fields: tuple[FieldModel, ...]
    reactions: tuple[ReactionModel, ...]
    snapshot_every: int | None = None
    buffer: int | None = None
    within: timedelta | None = None
    doc: str = ""
    place: Place


class ProjectionModel(Model):
    """A table made of events; `key` is one of its columns."""

    name: str
    key: str
    columns: tuple[FieldModel, ...]
    reactions: tuple[ReactionModel, ...]
    doc: str = ""
    place: Place


class ModuleModel(Model):
    """One checked file: what it declares itself."""

    name: str
    path: str
    records: tuple[RecordModel, ...] = ()
    enums: tuple[EnumModel, ...] = ()
    policies: tuple[PolicyModel, ...] = ()
    services: tuple[ServiceModel, ...] = ()
    activities: tuple[ActivityModel, ...] = ()
    sagas: tuple[SagaModel, ...] = ()
    aggregates: tuple[AggregateModel, ...] = ()
    projections: tuple[ProjectionModel, ...] = ()
    scenarios: tuple[ScenarioModel, ...] = ()

    @property
    def only_scenarios(self) -> bool:
        """Whether there is nothing in it but scenarios, so that there is nothing to deploy."""
        declared = {n for n, v in self if isinstance(v, tuple) and v}
        return declared == {"scenarios"}


class Program(Model):
    """All the checked files that were loaded together, by module name; records of messages are
    among their module's `records`."""

    modules: dict[str, ModuleModel]

    def record(self, name: str) -> RecordModel:
        """A record or payload by qualified name. Raises KeyError."""
        return self._records[name]

    def enum(self, name: str) -> EnumModel:
        """An enum by qualified name. Raises KeyError."""
        return self._enums[name]

    @property
    def enum_names(self) -> frozenset[str]:
        """The qualified names of all enums."""
        return frozenset(self._enums)

    @property
    def messages(self) -> tuple[CommandModel | EventModel, ...]:
        """All commands and events."""
        return (*self._commands.values(), *self._events.values())

    def command(self, name: str) -> CommandModel:
        """A command by qualified name. Raises KeyError."""
        return self._commands[name]

    def activity(self, name: str) -> ActivityModel:
        """An activity by qualified name. Raises KeyError."""
        return self._activities[name]

    def event(self, name: str) -> EventModel:
        """An event by qualified name. Raises KeyError."""
        return self._events[name]

    def saga(self, name: str) -> SagaModel:
        """A saga by qualified name. Raises KeyError."""
        return self._sagas[name]

    def model_post_init(self, context: object) -> None:
        """Indexes the declarations by qualified name."""
        modules = self.modules.values()
        self._records = {r.name: r for m in modules for r in m.records}
        self._enums = {e.name: e for m in modules for e in m.enums}
        self._activities = {a.name: a for m in modules for a in m.activities}
        self._sagas = {s.name: s for m in modules for s in m.sagas}
        services = [s for m in modules for s in m.services]
        self._commands = {c.name: c for s in services for c in s.commands}
        self._events = {e.name: e for s in services for e in s.events}

    _records: dict[str, RecordModel] = {}
    _enums: dict[str, EnumModel] = {}
    _activities: dict[str, ActivityModel] = {}
    _sagas: dict[str, SagaModel] = {}
    _commands: dict[str, CommandModel] = {}
    _events: dict[str, EventModel] = {}


def wire_type(qualified: str) -> str:
    """The name of a message on the wire, `service.Name`: a contract that moves to another file
    stays the same contract."""
    return ".".join(qualified.split(".")[-2:])


for _model in (
    *(HandlerModel, StepModel, IfModel, CaseModel, MatchModel, WhileModel, ForModel, BranchModel),
    *(ParallelModel, ArmModel, RaceModel, AwaitModel, TryModel, SagaModel),
):
    _model.model_rebuild()
