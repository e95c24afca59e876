"""Answers on their way back: to a waiting future in this process, else to Temporal."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta
from functools import partial

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from dsl.model import TopicModel
from orchestrator import failpoint
from orchestrator.messaging.bus import Bus, Reader
from orchestrator.messaging.consumer import KeyedConsumer
from orchestrator.messaging.deadletter import Disposition, dead_letter, dead_letter_topic
from orchestrator.messaging.envelope import EnvelopeError, ReplyTo, from_record
from orchestrator.messaging.obituary import before_edits
from orchestrator.messaging.observed import observed_handle
from orchestrator.messaging.outage import bus_away
from orchestrator.messaging.record import Record
from orchestrator.patience import outlast_unless
from orchestrator.runtime.answers import answer_of
from orchestrator.runtime.bury import bury
from orchestrator.runtime.guards import Guards
from orchestrator.runtime.wire import Answer, split_message_id
from orchestrator.telemetry import metrics

log = structlog.get_logger(__name__)

GROUP = "orchestrate.replies"
#: Partitions bound how many workers can have answers come straight back to them.
TOPIC = TopicModel(name="orchestrate.replies", partitions=12, retention=timedelta(days=1))
DEAD_LETTERS = TopicModel(name=dead_letter_topic(TOPIC.name, GROUP), partitions=1)


class Replies:
    """Receives the answers to commands. `counts` tells how many went which way."""

    def __init__(self, bus: Bus, client: Client, guards: Guards) -> None:
        self._bus = bus
        self._client = client
        self._guards = guards
        self._reader: Reader | None = None
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self.counts: Counter[str] = Counter()
        if meters := metrics.meters():
            meters.outcomes("replies", self.counts)

    async def start(self, stop: asyncio.Event) -> bool:
        """Joins the group; commands sent from now on can be answered to this process. A bus that is
        away is waited for; False when `stop` comes first."""
        join = partial(self._bus.reader, [TOPIC.name], GROUP)
        self._reader = await outlast_unless(stop, join, bus_away(GROUP))
        return self._reader is not None

    async def run(self, stop: asyncio.Event) -> None:
        """Receives until `stop` is set."""
        assert self._reader, "start comes first"
        receive = observed_handle(self._receive, GROUP)
        consumer = KeyedConsumer(self._reader, receive, name=GROUP, concurrency=256)
        await consumer.run(stop)

    def reply_to(self) -> ReplyTo:
        """Where an answer reaches this process; any partition when it holds none just now, and
        then another worker completes the step."""
        held = sorted(p for _, p in self._reader.assignment()) if self._reader else []
        return ReplyTo(TOPIC.name, random.choice(held) if held else None)

    def expect(self, message_id: str) -> asyncio.Future[Answer]:
        """A future for the answer to a command; `forget` it when it is no longer awaited."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = future
        return future

    def forget(self, message_id: str, future: asyncio.Future[Answer]) -> None:
        """Stops waiting for an answer in this process."""
        if self._waiting.get(message_id) is future:
            del self._waiting[message_id]

    async def _receive(self, record: Record) -> None:
        try:
            envelope = from_record(record)
            command = before_edits(envelope.causation_id or "")
            workflow, path = split_message_id(command)
        except (EnvelopeError, ValueError) as error:
            self.counts["poison"] += 1
            log.warning("reply not readable", place=record.place, error=type(error).__name__)
            letter = dead_letter(record, DEAD_LETTERS.name, error, Disposition.POISON, GROUP)
            await bury(self._bus, letter)
            return
        self._guards.answered(command)
        answer = answer_of(envelope)
        future = self._waiting.pop(command, None)
        if future is not None and not future.done():
            self.counts["fast"] += 1
            future.set_result(answer)
        else:
            await self._complete(workflow, path, answer)

    async def _complete(self, workflow: str, path: str, answer: Answer) -> None:
        """Completes the step's activity. One that is not there is late, repeated or unknown, or
        its turn has not come yet: then it publishes again and is answered again."""
        handle = self._client.get_async_activity_handle(
            workflow_id=workflow, run_id=None, activity_id=path
        )
        wait = 0.1
        while True:
            try:
                failpoint.reach("reply.before-complete")
                await handle.complete(answer)
                failpoint.reach("reply.after-complete")
                self.counts["durable"] += 1
                return
            except RPCError as error:
                if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
                    self.counts["late"] += 1
                    log.debug("reply changes nothing", saga=workflow, path=path)
                    return
                log.warning("reply waits for Temporal", saga=workflow, error=error.message)
            await asyncio.sleep(wait)
            wait = min(wait * 2, 5.0)
