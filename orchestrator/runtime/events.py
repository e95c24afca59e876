"""Events in: they start sagas, once for each key, and reach those that wait for them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from dsl.cel.errors import CelError
from dsl.types import Named
from dsl.values import Struct
from orchestrator import failpoint
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.codec import CodecError
from orchestrator.messaging.consumer import KeyedConsumer
from orchestrator.messaging.deadletter import Disposition, dead_letter, dead_letter_topic
from orchestrator.messaging.envelope import Envelope, EnvelopeError, from_record
from orchestrator.messaging.record import Record
from orchestrator.runtime.bury import bury
from orchestrator.runtime.signature import InputError
from orchestrator.runtime.starts import AlreadyStartedError, start_saga
from orchestrator.runtime.versions import Served, Start
from orchestrator.runtime.wire import EVENT, Arrival, workflow_id

log = structlog.get_logger(__name__)

GROUP = "orchestrate.events"


class Events:
    """Receives the events of all served modules. `current` are the versions that new sagas get,
    `running` all that may have sagas waiting."""

    def __init__(
        self,
        bus: Bus,
        client: Client,
        current: Sequence[Served],
        running: Sequence[Served],
        events_per_run: int | None = None,
    ) -> None:
        self._events_per_run = events_per_run
        self._bus = bus
        self._client = client
        self._current = current
        self._running = running
        self.counts: Counter[str] = Counter()

    @property
    def topics(self) -> list[str]:
        """The topics that are read."""
        return sorted(frozenset[str]().union(*(s.topics for s in (*self._current, *self._running))))

    async def run(self, stop: asyncio.Event) -> None:
        """Receives until `stop` is set; returns at once when there is nothing to receive."""
        if not self.topics:
            return
        reader = await self._bus.reader(self.topics, GROUP)
        await KeyedConsumer(reader, self._receive, name=GROUP).run(stop)

    async def _receive(self, record: Record) -> None:
        try:
            envelope = from_record(record)
            for served in self._current:
                for start in served.starts.get(envelope.type, ()):
                    await self._start(served, start, envelope)
            await self._deliver(envelope)
        except (EnvelopeError, CodecError, ValueError) as error:
            await self._bury(record, error, Disposition.POISON)
        except (InputError, CelError, RPCError) as error:
            await self._bury(record, error, Disposition.REJECTED)

    async def _start(self, served: Served, start: Start, envelope: Envelope) -> None:
        payload: Struct = served.codec.from_wire(*_read(served, envelope))
        parameters = {
            name: served.expressions.evaluate(node, {start.start.name: payload})
            for name, node in start.start.arguments.items()
        }
        failpoint.reach("start.before-start")
        try:
            await self._patiently(
                partial(
                    start_saga,
                    self._client,
                    served,
                    start.saga,
                    parameters,
                    cause=envelope.id,
                    events=self._events_per_run,
                )
            )
            failpoint.reach("start.after-start")
            self.counts["started"] += 1
        except AlreadyStartedError:
            self.counts["repeated"] += 1

    async def _deliver(self, envelope: Envelope) -> None:
        """Signals the instances of the event's key; a saga that is not there is not waiting."""
        sagas = {s for served in self._running for s in served.awaits.get(envelope.type, ())}
        if not sagas:
            return
        # The newest version's reading of it; a saga of an older one decodes it for itself.
        served = next(s for s in reversed(self._running) if envelope.type in s.awaits)
        wire, type = _read(served, envelope)
        payload: Struct = served.codec.from_wire(wire, type)
        key = payload[served.plan.events[served.events[envelope.type]].key]
        arrival = Arrival(envelope.id, envelope.type, wire)
        for saga in sorted(sagas):
            handle = self._client.get_workflow_handle(workflow_id(saga, key))
            failpoint.reach("arrival.before-signal")
            try:
                await self._patiently(partial(handle.signal, EVENT, arrival))
                failpoint.reach("arrival.after-signal")
                self.counts["delivered"] += 1
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                self.counts["unclaimed"] += 1
                log.info(
                    "no saga takes this event", saga=workflow_id(saga, key), type=envelope.type
                )

    async def _patiently(self, call: Callable[[], Awaitable[object]]) -> None:
        """Waits out a Temporal server that is away or lets nobody in; the partition's offset stays
        where it is. Raises RPCError for what this event will never be allowed."""
        wait = 0.1
        while True:
            try:
                await call()
                return
            except RPCError as error:
                if error.status in _FINAL:
                    raise
                log.warning("event waits for Temporal", error=error.message)
            await asyncio.sleep(wait)
            wait = min(wait * 2, 5.0)

    async def _bury(self, record: Record, error: Exception, disposition: Disposition) -> None:
        self.counts[disposition.value] += 1
        # Its text may quote the payload: that stands in the dead letter alone.
        log.warning("event given up", place=record.place, error=type(error).__name__)
        topic = dead_letter_topic(record.topic, GROUP)
        await bury(self._bus, dead_letter(record, topic, error, disposition, GROUP))


def _read(served: Served, envelope: Envelope) -> tuple[Any, Named]:
    """An event in JSON wire form, and its type in a version. Raises DecodeError."""
    wire = served.payloads.read(envelope.data, envelope.content_type, envelope.type)
    return wire, Named(served.events[envelope.type])


#: Refusals of this one call; after any other error it may succeed later.
_FINAL = frozenset(
    (
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.ALREADY_EXISTS,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.OUT_OF_RANGE,
    )
)
