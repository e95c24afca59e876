"""Events in: they start sagas, once for each key, and reach those that wait for them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from dsl.cel.errors import CelError
from dsl.model import Delivery, EventModel
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
from orchestrator.service.sequencer import SequenceError, Sequencer
from orchestrator.store import sequences, unclaimed
from orchestrator.store.database import Database
from orchestrator.store.errors import StoreError

log = structlog.get_logger(__name__)

T = TypeVar("T")

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
        database: Database,
        events_per_run: int | None = None,
        gap: float = 60.0,
    ) -> None:
        self._database = database
        self._events_per_run = events_per_run
        self._sequencer = Sequencer(
            *(database, sequences.orchestrator, GROUP, self._receive, self._out_of_turn),
            patience=gap,
        )
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
        ended = asyncio.Event()
        beside = asyncio.create_task(self._sequencer.run(ended))
        try:
            await KeyedConsumer(reader, self._receive, name=GROUP).run(stop)
        finally:
            ended.set()
            await beside

    async def _receive(self, record: Record) -> None:
        try:
            envelope = from_record(record)
            number = self._number(envelope)
        except (EnvelopeError, CodecError, ValueError) as error:
            await self._bury(record, error, Disposition.POISON)
            return
        if number is None:
            await self._pass_on(record)
        else:
            await self._in_turn(envelope, number, record)

    async def _in_turn(self, envelope: Envelope, number: int, record: Record) -> None:
        """Hands a numbered event on when its turn has come, and then those that waited for it. A
        store that is away is waited out: the order is in there."""
        stream = self._sequencer.stream(envelope.type, envelope.key)
        following: Record | None = record
        while following is not None:
            # Not in the transaction that notes its turn, which would be open until Temporal
            # answers: whoever dies between the two hands it on again, and sagas know its id.
            mine = await _stored(partial(self._sequencer.is_next, stream, number))
            if mine:
                await self._pass_on(following)
            place = partial(self._sequencer.place, stream, number, following, _only_if(mine))
            try:
                await _stored(place)
            except _ItsTurnError:
                continue
            following = await _stored(partial(self._sequencer.turn, stream))
            if following is not None:
                number = self._number(from_record(following)) or 0

    async def _out_of_turn(self, record: Record, error: SequenceError) -> None:
        await self._bury(record, error, Disposition.REJECTED)

    def _number(self, envelope: Envelope) -> int | None:
        """What numbers an event within its key, as the newest version says; None without."""
        served = self._newest(envelope)
        if served is None:
            return None
        field = _contract(served, envelope).sequence
        if field is None:
            return None
        payload: Struct = served.codec.from_wire(*_read(served, envelope))
        number: int = payload[field]
        return number

    def _newest(self, envelope: Envelope) -> Served | None:
        return next((s for s in reversed(self._running) if envelope.type in s.events), None)

    def _is_once(self, envelope: Envelope) -> bool:
        """Whether an event is tried once, and dropped when that fails."""
        served = self._newest(envelope)
        return served is not None and _contract(served, envelope).delivery is Delivery.AT_MOST_ONCE

    async def _pass_on(self, record: Record) -> None:
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
        except _DroppedError:
            self.counts["dropped"] += 1
            log.warning("event dropped: it is delivered at most once", place=record.place)

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
                ),
                envelope,
            )
            failpoint.reach("start.after-start")
            self.counts["started"] += 1
        except AlreadyStartedError:
            self.counts["repeated"] += 1

    async def _deliver(self, envelope: Envelope) -> None:
        """Signals the instances of the event's key. What a saga that is not there may wait for once
        it is, and what comes too late, is kept in the store."""
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
            id = workflow_id(saga, key)
            if await self._signal(id, arrival, envelope):
                self.counts["delivered"] += 1
                continue
            await self._patiently(partial(self._keep, id, arrival), envelope)
            # A saga that began before this was kept may have asked the store too early.
            if await self._signal(id, arrival, envelope):
                await self._patiently(partial(self._delivered, id, arrival), envelope)
                self.counts["delivered"] += 1
                continue
            self.counts["unclaimed"] += 1
            log.info("no saga takes this event", saga=id, type=envelope.type)

    async def _signal(self, id: str, arrival: Arrival, envelope: Envelope) -> bool:
        """Whether the saga runs. Raises RPCError."""
        handle = self._client.get_workflow_handle(id)
        failpoint.reach("arrival.before-signal")
        try:
            await self._patiently(partial(handle.signal, EVENT, arrival), envelope)
            failpoint.reach("arrival.after-signal")
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True

    async def _keep(self, id: str, arrival: Arrival) -> None:
        async with self._database.transaction() as session:
            await unclaimed.keep(session, id, arrival.id, arrival.type, arrival.data)

    async def _delivered(self, id: str, arrival: Arrival) -> None:
        async with self._database.transaction() as session:
            await unclaimed.delivered(session, id, arrival.id)

    async def _patiently(self, call: Callable[[], Awaitable[object]], envelope: Envelope) -> None:
        """Waits out a Temporal server, or a store, that is away or lets nobody in; the partition's
        offset stays where it is. Raises RPCError for what this event will never be allowed, and
        _DroppedError for one that is delivered at most once."""
        wait = 0.1
        while True:
            try:
                await call()
                return
            except RPCError as error:
                if error.status in _FINAL:
                    raise
                if self._is_once(envelope):
                    raise _DroppedError from error
                log.warning("event waits for Temporal", error=error.message)
            except (StoreError, SQLAlchemyError, OSError) as error:
                if self._is_once(envelope):
                    raise _DroppedError from error
                log.warning("event waits for the store", error=type(error).__name__)
            await asyncio.sleep(wait)
            wait = min(wait * 2, 5.0)

    async def _bury(self, record: Record, error: Exception, disposition: Disposition) -> None:
        self.counts[disposition.value] += 1
        # Its text may quote the payload: that stands in the dead letter alone.
        log.warning("event given up", place=record.place, error=type(error).__name__)
        topic = dead_letter_topic(record.topic, GROUP)
        await bury(self._bus, dead_letter(record, topic, error, disposition, GROUP))


async def _stored(call: Callable[[], Awaitable[T]]) -> T:
    wait = 0.1
    while True:
        try:
            return await call()
        except (StoreError, SQLAlchemyError, OSError) as error:
            log.warning("event waits for the store", error=type(error).__name__)
        await asyncio.sleep(wait)
        wait = min(wait * 2, 5.0)


def _only_if(passed_on: bool) -> Callable[[AsyncSession], Awaitable[None]]:
    async def work(_: AsyncSession) -> None:
        if not passed_on:
            raise _ItsTurnError

    return work


class _ItsTurnError(Exception):
    """The one before it was taken meanwhile."""


class _DroppedError(Exception):
    """Temporal is away, and this event waits for nobody."""


def _contract(served: Served, envelope: Envelope) -> EventModel:
    return served.plan.events[served.events[envelope.type]]


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
