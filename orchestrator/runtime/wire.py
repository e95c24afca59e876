"""What passes between workflows, activities, consumers and clients, as Temporal payloads.

These shapes stand in histories, so fields are added with defaults, never removed or renamed.
"""

# No `from __future__ import annotations`: Temporal's converter evaluates these hints at every
# decode, and texts it would compile each time.
from dataclasses import dataclass
from typing import Any

#: Signals and the memo fields of the saga workflow.
EVENT, RESOLVE, ATTENTION, CHAIN = "event", "resolve", "attention", "chain"

#: The workflow that a schedule starts, which starts the saga.
OCCURRENCE = "orchestrate.occurrence"

#: The memo field of a saga that another one called: `{"id": caller, "step": path}`.
CALLER = "caller"

#: The members of such a saga's result: what it returned, what it would have to undo; or, of a run
#: that undid it, who called for that. No field of the language has such a name.
RESULT, UNDOS, UNDONE = ":result", ":undos", ":undone"

#: Activities.
START_SCHEDULED = "start_scheduled"
EXCHANGE, REQUEST, PUBLISH, CLAIM = "exchange", "request", "publish", "claim"

#: The type of a workflow failure that the saga's own course led to.
SAGA_FAILED, NEEDS_ATTENTION = "SagaFailed", "CompensationFailed"

#: The type of the failure of a function whose result is not what the flow declares.
INVALID_RESULT = "InvalidResult"

#: The type of the failure of an attempt that was held back, and not made.
HELD = "Held"

#: The type of the failure of a query or an update that the saga refuses.
REFUSED = "Refused"


@dataclass(slots=True)
class SagaInput:
    """A saga's start: its parameters in wire form, and the id of the event that led to it.

    A run that goes on where another one ended gets what that one `carried`. `events` is how many
    history events a run has before a long loop goes on in the next one; without it Temporal says
    when. It is a part of the input because a replay must come to the same. With `undo`, what
    `snapshot` wrote, the run undoes what an earlier one of its id did, for the saga that called it.
    """

    parameters: dict[str, Any]
    cause: str | None = None
    carried: Any = None
    events: int | None = None
    undo: Any = None


@dataclass(slots=True)
class Guard:
    """What a step's policy sets for all that goes to the same place: a breaker (failures, within,
    open for), a rate (count, per), how many at once. Times are seconds."""

    breaker: list[float] | None = None
    rate: list[float] | None = None
    at_once: int | None = None


@dataclass(slots=True)
class Outgoing:
    """A message to publish. `data` is its payload in wire form; `timeout` is one attempt's and
    `jitter` the most that a retry waits beyond its backoff, in seconds. With `dead_letter` it goes
    to that topic instead, for `reason`. `undoes` is the id of the command that it takes back.
    `guard` is what its policy sets, where it does, and a `probe` asks how things are there."""

    id: str
    type: str
    topic: str
    key: str
    data: Any
    saga: str
    correlation: str
    cause: str | None = None
    timeout: float = 0.0
    jitter: float = 0.0
    dead_letter: str | None = None
    reason: str | None = None
    undoes: str | None = None
    guard: Guard | None = None
    probe: bool = False


@dataclass(slots=True)
class Invocation:
    """A function's arguments by name, in wire form; `jitter` is the most that a retry waits beyond
    its backoff, in seconds."""

    arguments: dict[str, Any]
    jitter: float = 0.0


@dataclass(slots=True)
class Answer:
    """A reply or failure as it came: its wire type, payload and message id. `invalid` says what is
    wrong with a payload that could not be read; one that is no JSON is `encoded` in base64 until
    someone who knows its contract has read it."""

    type: str
    data: Any = None
    invalid: str | None = None
    message: str | None = None
    encoded: str | None = None
    content_type: str | None = None


@dataclass(slots=True)
class Occurrence:
    """A time that has come: the saga's qualified name and the number of its schedule, from 0. `at`
    is the scheduled time in ISO 8601, None where the server alone knows it."""

    saga: str
    schedule: int
    at: str | None = None


@dataclass(slots=True)
class Arrival:
    """An event, or a signal, for a waiting saga: its message id, wire type and payload in wire
    form. A signal's wire type is `Saga.Name`."""

    id: str
    type: str
    data: Any


@dataclass(slots=True)
class Claimed:
    """Events that came before their saga, in order; there may be more behind a position."""

    events: list[Arrival]
    more_after: int | None = None


@dataclass(slots=True)
class Resolution:
    """What a person decided about a parked undo: its path and `retry`, `skip` or `fail`."""

    path: str
    decision: str


def workflow_id(saga: str, key: object) -> str:
    """The id of a saga's instance; `saga` is its short name."""
    return f"{saga}/{key}"


def message_id(workflow_id: str, path: str) -> str:
    """The id of a message: the same for every attempt, every run and every replay."""
    return f"{workflow_id}#{path}"


def is_undo(path: str) -> bool:
    """Whether a message belongs to an undo: `taken[0]:undo`, or `taken:undo.told[0]` in a block."""
    return ":undo" in path


def undone_by(path: str) -> str | None:
    """The path of the command that an undo takes back; None of any other message, those of an
    undo's block among them."""
    return path.removesuffix(":undo") if path.endswith(":undo") else None


def split_message_id(id: str) -> tuple[str, str]:
    """The workflow id and the path that a message id was made of. Raises ValueError."""
    workflow, mark, path = id.rpartition("#")
    if not mark or not workflow or not path:
        raise ValueError(f"not the id of a saga's message: {id[:80]!r}")
    return workflow, path
