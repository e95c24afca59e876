"""The port through which an interpreted saga acts on the world."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from dsl.model import Callee, wire_type
from dsl.values import Struct
from orchestrator.compile.plan import PolicyPlan


class Reason(StrEnum):
    """Why a command did not succeed."""

    DECLARED = "declared"
    TIMEOUT = "timeout"
    EXHAUSTED = "exhausted"
    NO_EVENT = "no event"
    INVALID = "invalid"
    #: Of a called saga: it failed and has undone itself, or it was ended by force.
    FAILED = "failed"
    BROKEN = "broken"


class CommandFailed(Exception):
    """A command's end without a reply, or an event's that did not come. `failure` is the declared
    failure's message; for a command's every other reason it is None and nobody knows whether it
    took effect."""

    def __init__(self, reason: Reason, text: str, failure: Struct | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.failure = failure

    @property
    def outcome_unknown(self) -> bool:
        """Whether the command may have taken effect."""
        return self.reason not in (Reason.DECLARED, Reason.NO_EVENT, Reason.FAILED)

    @property
    def named(self) -> Any:
        """What a handler's `as` names: the declared failure, or why a called saga failed."""
        return str(self) if self.reason in (Reason.FAILED, Reason.BROKEN) else self.failure


class Untouched(asyncio.CancelledError):
    """A cancel of a call that left nothing to undo."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a called saga: its result, and what it would have to undo, as JSON; nothing of
    that where it is empty."""

    value: Any
    undos: Any


class SagaFailed(Exception):
    """A saga's failure, for a reason a person can read; `cause` is the command's that led to it,
    for the handlers of a `try` around it."""

    def __init__(self, text: str, cause: CommandFailed | None = None) -> None:
        super().__init__(text)
        self.cause = cause


class Decision(StrEnum):
    """What a person decides about what could not be done."""

    RETRY = "retry"
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Command:
    """What to call: a command to send, an activity or a saga. `message` is the path that its id is
    made from, so a command that is sent again keeps its id; `name` is its qualified name."""

    message: str
    name: str
    arguments: Struct
    policy: PolicyPlan
    callee: Callee = Callee.COMMAND

    @property
    def shown(self) -> str:
        """The name for people: `service.Command`, `Activity`."""
        parts = self.name.rpartition(".")
        return wire_type(self.name) if self.callee is Callee.COMMAND else parts[2]


class Effects(Protocol):
    """What the interpreter asks for; the workflow, scenarios and tests each have their own."""

    def now(self) -> datetime:
        """The saga's clock, in UTC."""

    async def call(self, command: Command) -> Any:
        """Sends a command and waits for its reply, or calls a function for its result, with all
        the attempts of the policy; or calls a saga, which ends with Finished. Raises CommandFailed.
        """

    async def undo_child(self, command: Command, undos: Any) -> None:
        """Has a saga that was called by this command undo what it did. Raises CommandFailed."""

    async def bury(self, command: Command, reason: str) -> None:
        """Puts an exhausted command on its policy's dead-letter topic, if it names one."""

    async def publish(self, path: str, event: str, payload: Struct) -> None:
        """Publishes an event; returns when it is acknowledged."""

    async def receive(
        self, arms: Sequence[tuple[str, Callable[[Struct], bool]]], limit: float | None
    ) -> tuple[int, Struct] | None:
        """The first event of the saga's key that fits one of the arms (its qualified name and a
        condition), an early one included, with that arm's index; None when `limit` (seconds) has
        passed."""

    async def sleep(self, seconds: float) -> None:
        """Waits."""

    def pass_pivot(self) -> None:
        """From here on neither a cancel nor the deadline ends the saga."""

    async def attention(self, path: str, reason: str) -> Decision:
        """Parks the saga until a person decides."""

    async def settle(self) -> None:
        """Called before another run goes on: returns when nothing of what was done can get lost or
        has to be done again."""
