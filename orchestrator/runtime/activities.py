"""The activities of a saga: every effect it has on the bus."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from orchestrator import failpoint
from orchestrator.messaging.bus import Bus, BusError
from orchestrator.messaging.deadletter import STEPS, Disposition, dead_letter
from orchestrator.messaging.envelope import Envelope, ReplyTo, to_record
from orchestrator.messaging.payloads import Payloads
from orchestrator.messaging.record import Record
from orchestrator.runtime.answers import readable
from orchestrator.runtime.guards import Guards
from orchestrator.runtime.replies import Replies
from orchestrator.runtime.window import Window
from orchestrator.runtime.wire import EXCHANGE, HELD, PUBLISH, REQUEST, Answer, Outgoing


class Activities:
    """Publishes what the workflows of one version send. `window` is how long the fast way waits;
    all versions share it."""

    def __init__(
        self, bus: Bus, replies: Replies, window: Window, payloads: Payloads, guards: Guards
    ) -> None:
        self._bus = bus
        self._replies = replies
        self._window = window
        self._payloads = payloads
        self._guards = guards

    def all(self) -> list[Callable[..., Any]]:
        """What a worker registers."""
        return [self.exchange, self.request, self.publish]

    @activity.defn(name=EXCHANGE)
    async def exchange(self, command: Outgoing) -> Answer | None:
        """The fast way: publishes and waits a short while. None when no answer came in time, the
        bus was out of reach, or the last commands of this type were not answered in time either:
        then the durable way follows."""
        window = self._window.for_type(command.type)
        if not window or self._guards.enter(command, 1):
            return None
        future = self._replies.expect(command.id)
        answer: Answer | None = None
        try:
            async with asyncio.timeout(min(window, command.timeout)):
                failpoint.reach("command.before-publish")
                await self._bus.publish(self._record(command, self._replies.reply_to()))
                failpoint.reach("command.after-publish")
                answer = readable(await future, self._payloads)
                failpoint.reach("command.after-answer")
        except TimeoutError:
            pass
        except BusError:
            self._guards.unsent(command.id)
        finally:
            self._replies.forget(command.id, future)
        self._window.note(command.type, answered=answer is not None)
        return answer

    @activity.defn(name=REQUEST)
    async def request(self, command: Outgoing) -> Answer:
        """The durable way: publishes under the same id and leaves the completion to the reply
        consumer. A retry first waits its jitter."""
        if activity.info().attempt > 1 and command.jitter:
            await asyncio.sleep(random.uniform(0, command.jitter))
        attempt = activity.info().attempt
        if hold := self._guards.enter(command, attempt):
            details = hold.seconds, attempt - 1, hold.probe
            raise ApplicationError("held back", *details, type=HELD, non_retryable=True)
        failpoint.reach("request.before-publish")
        try:
            await self._bus.publish(self._record(command, self._replies.reply_to()))
        except BusError:
            self._guards.unsent(command.id)
            raise
        failpoint.reach("request.after-publish")
        activity.raise_complete_async()

    @activity.defn(name=PUBLISH)
    async def publish(self, message: Outgoing) -> None:
        """Publishes an event, or a command as a dead letter."""
        failpoint.reach("event.before-publish")
        await self._bus.publish(self._event(message))
        failpoint.reach("event.after-publish")

    def _event(self, message: Outgoing) -> Record:
        if message.dead_letter is None:
            return self._record(message, None)
        return dead_letter(
            self._envelope(message, None),
            message.dead_letter,
            message.reason or "",
            Disposition.EXHAUSTED,
            STEPS,
            original_topic=message.topic,
        )

    def _record(self, message: Outgoing, reply_to: ReplyTo | None) -> Record:
        return to_record(self._envelope(message, reply_to), message.topic)

    def _envelope(self, message: Outgoing, reply_to: ReplyTo | None) -> Envelope:
        data, content_type = self._payloads.write(message.data, message.type)
        return Envelope(
            id=message.id,
            type=message.type,
            source=f"/sagas/{message.saga}",
            time=datetime.now(UTC),
            key=message.key,
            data=data,
            content_type=content_type,
            correlation_id=message.correlation,
            causation_id=message.cause,
            reply_to=reply_to,
            undoes=message.undoes,
        )
