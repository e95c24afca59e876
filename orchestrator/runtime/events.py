"""Events in: read, put in their order, handed to sagas; or put aside, where that cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import Client
from temporalio.service import RPCError

from dsl.cel.errors import CelError
from dsl.values import Struct
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.codec import CodecError
from orchestrator.messaging.consumer import KeyedConsumer
from orchestrator.messaging.deadletter import Disposition, dead_letter, dead_letter_topic
from orchestrator.messaging.envelope import Envelope, EnvelopeError, from_record
from orchestrator.messaging.obituary import is_for_another
from orchestrator.messaging.observed import observed_handle
from orchestrator.messaging.outage import bus_away
from orchestrator.messaging.record import Record
from orchestrator.patience import outlast, outlast_unless
from orchestrator.runtime.arrivals import Arrivals, DroppedError
from orchestrator.runtime.bury import bury
from orchestrator.runtime.signature import InputError
from orchestrator.runtime.versions import Served, newest
from orchestrator.service.sequencer import SequenceError, Sequencer
from orchestrator.store import sequences
from orchestrator.store.database import Database
from orchestrator.store.outage import store_away
from orchestrator.telemetry import metrics, traces

log = structlog.get_logger(__name__)

GROUP = "orchestrate.events"

_AWAY = store_away("event")


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
        self._arrivals = Arrivals(client, current, running, database, events_per_run)
        self._sequencer = Sequencer(
            *(database, sequences.orchestrator, GROUP, self._receive, self._out_of_turn),
            patience=gap,
        )
        self._bus = bus
        self._current = current
        self._running = running
        self.counts = self._arrivals.counts
        #: Why it does not receive yet; None when it does.
        self.waits: str | None = None

    @property
    def topics(self) -> list[str]:
        """The topics that are read."""
        return sorted(frozenset[str]().union(*(s.topics for s in (*self._current, *self._running))))

    async def run(self, stop: asyncio.Event) -> None:
        """Receives until `stop` is set; returns at once when there is nothing to receive. A bus
        that is away is waited for."""
        if not self.topics:
            return
        join = partial(self._bus.reader, self.topics, GROUP)
        reader = await outlast_unless(stop, join, bus_away(GROUP, self._wait))
        self.waits = None
        if reader is None:
            return
        ended, halt = asyncio.Event(), asyncio.Event()
        beside = asyncio.create_task(self._sequencer.run(ended))
        # Without it early events would wait for ever: what ends it is raised, and ends all.
        beside.add_done_callback(lambda _: halt.set())
        told = asyncio.create_task(_follow(stop, halt))
        try:
            receive = observed_handle(self._receive, GROUP)
            await KeyedConsumer(reader, receive, name=GROUP).run(halt)
        finally:
            told.cancel()
            ended.set()
            await beside

    def _wait(self, reason: str) -> None:
        self.waits = reason

    async def _receive(self, record: Record) -> None:
        if is_for_another(record, GROUP):
            return
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
            mine = await outlast(partial(self._sequencer.is_next, stream, number), _AWAY)
            if mine:
                await self._pass_on(following)
            place = partial(self._sequencer.place, stream, number, following, _only_if(mine))
            try:
                await outlast(place, _AWAY)
            except _ItsTurnError:
                continue
            following = await self._sequencer.turn(stream)
            if following is not None:
                number = self._number(from_record(following)) or 0

    async def _out_of_turn(self, record: Record, error: SequenceError) -> None:
        await self._bury(record, error, Disposition.REJECTED)

    def _number(self, envelope: Envelope) -> int | None:
        """What numbers an event within its key, as the newest version says; None without."""
        served = newest(self._running, envelope.type)
        field = served.contract(envelope.type).sequence if served else None
        if served is None or field is None:
            return None
        payload: Struct = served.codec.from_wire(*served.read(envelope))
        number: int = payload[field]
        return number

    async def _pass_on(self, record: Record) -> None:
        try:
            envelope = from_record(record)
            await self._arrivals.take(envelope)
        except (EnvelopeError, CodecError, ValueError) as error:
            await self._bury(record, error, Disposition.POISON)
        except (InputError, CelError, RPCError) as error:
            await self._bury(record, error, Disposition.REJECTED)
        except DroppedError:
            self.counts["dropped"] += 1
            log.warning("event dropped: it is delivered at most once", place=record.place)

    async def _bury(self, record: Record, error: Exception, disposition: Disposition) -> None:
        self.counts[disposition.value] += 1
        traces.failed(error)
        if meters := metrics.meters():
            meters.letter(GROUP, record.topic, disposition.value)
        # Its text may quote the payload: that stands in the dead letter alone.
        log.warning("event given up", place=record.place, error=type(error).__name__)
        topic = dead_letter_topic(record.topic, GROUP)
        await bury(self._bus, dead_letter(record, topic, error, disposition, GROUP))


async def _follow(one: asyncio.Event, other: asyncio.Event) -> None:
    """Sets the other when the one is set."""
    await one.wait()
    other.set()


def _only_if(passed_on: bool) -> Callable[[AsyncSession], Awaitable[None]]:
    async def work(_: AsyncSession) -> None:
        if not passed_on:
            raise _ItsTurnError

    return work


class _ItsTurnError(Exception):
    """The one before it was taken meanwhile."""
