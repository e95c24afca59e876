"""A saga's effects on Temporal: activities, child workflows, timers, and what comes by signal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from temporalio import workflow

from dsl.model import Callee, wire_type
from dsl.types import Named
from dsl.values import Struct
from orchestrator.compile.plan import Plan, SagaPlan
from orchestrator.messaging.codec import DecodeError, JsonCodec
from orchestrator.messaging.payloads import Payloads
from orchestrator.runtime.calls import Calls
from orchestrator.runtime.cancels import MOMENT, Cancels
from orchestrator.runtime.children import Children
from orchestrator.runtime.claims import Claims
from orchestrator.runtime.effects import Command, Decision, Untouched
from orchestrator.runtime.ends import count_park
from orchestrator.runtime.evaluation import Expressions
from orchestrator.runtime.handover import Handover
from orchestrator.runtime.invocations import Invocations
from orchestrator.runtime.parked import Parked
from orchestrator.runtime.wire import SagaInput


@dataclass(frozen=True, slots=True)
class Definition:
    """What the workflow of a saga is made from."""

    plan: Plan
    saga: SagaPlan
    codec: JsonCodec
    payloads: Payloads
    expressions: Expressions


class TemporalEffects:
    """The effects of one run. What was done is counted in the run's room; `past_pivot` is called
    when the pivot has been passed."""

    def __init__(
        self,
        made: Definition,
        input: SagaInput,
        handover: Handover,
        past_pivot: Callable[[], None],
    ) -> None:
        self._codec, self._events = made.codec, made.plan.events
        self._mailbox, self._room = handover.mailbox, handover.room
        self._past_pivot = past_pivot
        self._cancels = Cancels()
        self._calls = Calls(
            made.plan, made.saga, made.codec, made.payloads, self._cancels, input.cause
        )
        self._functions = Invocations(made.plan, made.codec, self._cancels)
        self._children = Children(
            made.plan, made.codec, made.expressions, self._cancels, input.events
        )
        self._claims = Claims(self._cancels)
        self._clock_read = False
        self.parked = Parked()

    def now(self) -> datetime:
        """The workflow's clock."""
        self._clock_read = True
        return workflow.now()

    async def call(self, command: Command) -> Any:
        """Sends a command at two speeds, or calls a function or a saga."""
        self._room.use()
        if command.callee is Callee.SAGA:
            try:
                await self._settle_clock()
            except asyncio.CancelledError:
                raise Untouched from None
            return await self._children.call(command)
        if command.callee is Callee.ACTIVITY:
            return await self._functions.call(command)
        await self._settle_clock()
        return await self._calls.call(command)

    async def undo_child(self, command: Command, undos: Any) -> None:
        """Has a called saga undo what it did."""
        self._room.use()
        await self._children.undo(command, undos)

    async def bury(self, command: Command, reason: str) -> None:
        """Publishes an exhausted command as a dead letter."""
        if command.callee is Callee.COMMAND:
            await self._calls.bury(command, reason)

    async def publish(self, path: str, event: str, payload: Struct) -> None:
        """Publishes an event."""
        self._room.use()
        await self._settle_clock()
        await self._calls.publish(path, event, payload)

    async def _settle_clock(self) -> None:
        """Before a message leaves that may hold the time, a timer puts the time into the history.
        Else a worker that is lost here would be followed by one that sends another time under the
        same message id."""
        if self._clock_read:
            self._clock_read = False
            await self._cancels.condition(lambda: False, MOMENT)

    async def receive(
        self, arms: Sequence[tuple[str, Callable[[Struct], bool]]], limit: float | None
    ) -> tuple[int, Struct] | None:
        """Waits until the mailbox holds an event that fits, or the limit has passed."""
        self._room.use()
        if any(event in self._events for event, _ in arms):
            await self._claims.into(self._mailbox)
        found: list[tuple[int, Struct]] = []

        def arrived() -> bool:
            if not found:
                found.extend(self._matching(arms))
            return bool(found)

        return found[0] if await self._cancels.condition(arrived, limit) else None

    async def sleep(self, seconds: float) -> None:
        """Waits by the server's timer."""
        self._room.use()
        await self._cancels.condition(lambda: False, seconds)

    def _matching(
        self, arms: Sequence[tuple[str, Callable[[Struct], bool]]]
    ) -> list[tuple[int, Struct]]:
        for arrival in self._mailbox:
            for index, (event, fits) in enumerate(arms):
                if arrival.type != wire_type(event):
                    continue
                try:
                    payload = self._codec.from_wire(arrival.data, Named(event))
                except DecodeError as error:
                    workflow.logger.warning("event %s dropped: %s", arrival.id, error)
                    self._mailbox.take(arrival)
                    break
                if fits(payload):
                    self._mailbox.take(arrival)
                    return [(index, payload)]
        return []

    def pass_pivot(self) -> None:
        """A cancel that came before, and was kept, is dropped too."""
        self._past_pivot()
        self._cancels.forget()

    async def attention(self, path: str, reason: str) -> Decision:
        """Parks until a person decides."""
        count_park()
        return await self.parked.decision(path, reason)

    async def settle(self) -> None:
        """A timer puts what was done into the history, and brings what came meanwhile, a cancel
        among it: the task that continues then does nothing else. The server refuses it when a
        signal comes in that moment, and until it is done again nobody can send one."""
        await self._cancels.condition(lambda: False, MOMENT)
