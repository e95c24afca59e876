"""Events in, each with its effect once."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from functools import partial

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from dsl.model import Order, Overflow, wire_type
from orchestrator.messaging.admission import Admission, Attempt
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.codec import DecodeError
from orchestrator.messaging.deadletter import Disposition
from orchestrator.messaging.envelope import Envelope, EnvelopeError, from_record
from orchestrator.messaging.obituary import DISCARDED, is_for_another, is_redriven
from orchestrator.messaging.record import Record
from orchestrator.messaging.traced import processing
from orchestrator.patience import outlast
from orchestrator.service.about import about
from orchestrator.service.gates import Gates
from orchestrator.service.parking import Buried, Ended, Failed, Parking
from orchestrator.service.post import Post
from orchestrator.service.process import Process, Processed
from orchestrator.service.reaction import Reaction, reaction_group
from orchestrator.service.relay import Relay
from orchestrator.service.retries import Retries
from orchestrator.service.sequencer import SequenceError, Sequencer
from orchestrator.service.service import Service
from orchestrator.service.topics import event_topics, order_of
from orchestrator.service.waits import retry_of, wait_after
from orchestrator.store import sequences
from orchestrator.store.database import Database
from orchestrator.store.errors import ConflictError, StoreError
from orchestrator.store.outage import store_away
from orchestrator.store.sequences import Stream
from orchestrator.telemetry import metrics, traces

log = structlog.get_logger(__name__)


class ShedError(Exception):
    """More comes than the policy lets through, and this may be dropped."""


class Events:
    """What a service does with a record of a topic whose events it handles.

    Nobody sends an event again, so a handler that breaks is tried again here, as the service's
    policy says; then the event goes to the dead letters as `exhausted`. Meanwhile it is parked in
    SQL, with later ones of its key behind it (`order: ordered`), or waits on a retry topic, while
    all pass it (`unordered`), or its whole partition waits (`blocking`). Where order is kept by
    key, a dead letter goes on holding its key until a person has redriven or discarded it. A
    database that is away costs no attempt. The offset is committed when the effect is, or the event
    waits elsewhere, or its dead letter is acknowledged. Numbered events are handled in their order,
    and one that is given up is missing there; what is delivered at most once is tried once, and
    dropped when that fails.
    """

    def __init__(
        self,
        service: Service,
        bus: Bus,
        process: Process,
        relay: Relay,
        database: Database,
        admission: Admission,
        stop: asyncio.Event,
        drain: float,
    ) -> None:
        self._service = service.name
        self._process = process
        self._relay = relay
        self._stop = stop
        self._admission = admission
        policy = service.model.policy
        self._sheds = policy is not None and policy.overflow is Overflow.SHED
        self._group = reaction_group(service.name)
        self._post = Post(bus, self._group)
        self._reactions = {wire_type(name): r for name, r in service.reactions.items()}
        self._retry = retry_of(service.model.policy)
        self.sequencer = Sequencer(
            *(database, sequences.participant, reaction_group(service.name)),
            *(self.handle, self._out_of_turn),
            patience=service.gap.total_seconds(),
            held=self._held,
        )
        order = order_of(service.model.policy)
        self._blocking, self._ordered = order is Order.BLOCKING, order is Order.ORDERED
        self._gates = Gates()
        self.parking = Parking(database, self._group, order, self._again)
        # Where order does not matter nothing needs to be looked up before an event is handled.
        self.retries: Retries | None = None
        if order is Order.UNORDERED:
            sources = event_topics(service)
            self.retries = Retries(bus, self._group, sources, self._retry, self._again, drain=drain)

    async def handle(self, record: Record) -> None:
        """One record, to its end: handled, kept for its turn, passed over or dead-lettered; and the
        numbered ones whose turn comes with it."""
        following: Record | None = record
        while following is not None:
            following = await self._one(following)

    async def _one(self, record: Record) -> Record | None:
        """The early record whose turn it is after this one."""
        if is_for_another(record, self._group):
            return None
        try:
            envelope = from_record(record)
        except EnvelopeError as error:
            await self._post.give_up(record, error, Disposition.POISON)
            return None
        reaction = self._reactions.get(envelope.type)
        if envelope.type == DISCARDED and is_redriven(record):
            await outlast(partial(self.parking.release, record), store_away("what was discarded"))
            return None
        if reaction is None:
            return None  # a topic carries all events of its service
        with about(envelope):
            if self._blocking:
                await self._in_place(reaction, envelope, record)
            elif not await self._aside(reaction, envelope, record):
                return None  # with what waits for its turn behind it
        return await self._next(reaction, envelope)

    async def _next(self, reaction: Reaction, envelope: Envelope) -> Record | None:
        if not reaction.in_sequence:
            return None
        return await self.sequencer.turn(self.sequencer.stream(envelope.type, envelope.key))

    async def _aside(self, reaction: Reaction, envelope: Envelope, record: Record) -> bool:
        """One attempt; what is to be tried again is parked, and so is what comes behind that.
        Whether it came to its end, and no letter of it holds its key."""
        outages = 0
        while True:
            try:
                if self._ordered and await self.parking.revived(record):
                    return False
                if not reaction.at_most_once and await self.parking.queued(record):
                    return False
                ended = await self._attempt(reaction, envelope, record, 1)
                if isinstance(ended, Failed):
                    await (self.retries or self.parking).park(record, ended)
                elif isinstance(ended, Buried):
                    await self.parking.hold(record)
                return ended is None
            except Exception as error:
                if not _is_outage(error):
                    raise
            outages += 1
            await self._rest(wait_after(self._retry, outages))

    async def _in_place(self, reaction: Reaction, envelope: Envelope, record: Record) -> None:
        """All attempts, and none of another record of the partition meanwhile."""
        attempt, outages, closed = 1, 0, False
        partition = (record.topic, record.partition or 0)
        await self._gates.passed(partition)
        with ExitStack() as waiting:
            while True:
                try:
                    ended = await self._attempt(reaction, envelope, record, attempt)
                    if not isinstance(ended, Failed):
                        return
                    attempt, wait = attempt + ended.spent, ended.wait
                except Exception as error:
                    if not _is_outage(error):
                        raise
                    outages += 1
                    wait = wait_after(self._retry, outages)
                if not closed:  # at the first failure
                    closed = True
                    waiting.enter_context(self._gates.closed(partition))
                await self._rest(wait)

    async def _again(self, record: Record, attempt: int) -> Ended:
        """A later attempt of a parked record, or the first one of a record behind it."""
        envelope = from_record(record)
        reaction = self._reactions.get(envelope.type)
        if reaction is None:
            return None  # a release that handles it no longer
        if wait := self._admission.wait():
            return Failed(wait, "held back", spent=False)
        with about(envelope), processing(record, self._group):
            ended = await self._attempt(reaction, envelope, record, attempt)
        if ended is None and (following := await self._next(reaction, envelope)) is not None:
            await self.handle(following)
        return ended

    async def _attempt(
        self, reaction: Reaction, envelope: Envelope, record: Record, attempt: int
    ) -> Ended:
        """None when the record has come to its end. Raises an outage of the database."""
        if self._sheds and reaction.at_most_once and self._admission.wait():
            self._admission.counts["shed"] += 1
            await self._drop(reaction, envelope, record, ShedError())
            return None
        async with self._admission.attempt(self._stop) as begun:
            return await self._begun(begun, reaction, envelope, record, attempt)

    async def _begun(
        self, begun: Attempt, reaction: Reaction, envelope: Envelope, record: Record, attempt: int
    ) -> Ended:
        holds = self._ordered and reaction.holds and record.key is not None
        try:
            processed = await self._do(reaction, envelope, record)
        except DecodeError as error:
            begun.dropped()
            await self._post.give_up(record, error, Disposition.POISON, holds=holds)
            return Buried() if holds else None
        except ConflictError as error:
            begun.dropped()
            await self._give_up(reaction, envelope, record, error, Disposition.REJECTED)
        except Exception as error:
            if not _is_outage(error):
                begun.failed()
            if reaction.at_most_once:
                await self._drop(reaction, envelope, record, error)
            elif _is_outage(error):
                log.warning("event waits for the database", error=type(error).__name__)
                raise
            elif begun.probe:
                self._failed(reaction, envelope, error, attempt)
                wait = wait_after(self._retry, attempt)
                return Failed(wait, type(error).__name__, spent=False)
            elif attempt < self._retry.attempts:
                self._failed(reaction, envelope, error, attempt)
                return Failed(wait_after(self._retry, attempt), type(error).__name__)
            elif holds:
                await self._post.give_up(record, error, Disposition.EXHAUSTED, holds=True)
                return Buried()
            else:
                await self._give_up(reaction, envelope, record, error, Disposition.EXHAUSTED)
        else:
            if processed.events:
                self._relay.wake()
            self._post.let_go(processed.once)
        return None

    async def _give_up(
        self,
        reaction: Reaction,
        envelope: Envelope,
        record: Record,
        error: Exception,
        why: Disposition,
    ) -> None:
        await self._post.give_up(record, error, why)
        if reaction.in_sequence:
            number = reaction.number(self._process.value(reaction, envelope))
            stream = self.sequencer.stream(envelope.type, envelope.key)
            await self.sequencer.block(stream, number)

    async def _held(self, stream: Stream) -> bool:
        reaction = self._reactions.get(stream.type)
        return reaction is not None and await self.parking.holds(reaction.event.topic, stream.key)

    async def _out_of_turn(self, record: Record, error: SequenceError) -> None:
        await self._post.give_up(record, error, Disposition.REJECTED)

    async def _do(self, reaction: Reaction, envelope: Envelope, record: Record) -> Processed:
        if reaction.in_sequence:
            return await self._process.in_turn(self.sequencer, reaction, envelope, record)
        if reaction.at_most_once:
            return await self._process.at_most_once(reaction, envelope)
        return await self._process(reaction, envelope)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return
        # Neither done nor given up: the consumer must not commit it, and is to end all the same.
        raise asyncio.CancelledError

    async def _drop(
        self, reaction: Reaction, envelope: Envelope, record: Record, error: Exception
    ) -> None:
        if reaction.in_sequence:
            number = reaction.number(self._process.value(reaction, envelope))
            stream = self.sequencer.stream(envelope.type, envelope.key)
            await self.sequencer.place(stream, number, record, _nothing)
        log.warning(
            "event dropped: it is delivered at most once",
            service=self._service,
            place=record.place,
            error=type(error).__name__,
            exc_info=error,
        )

    def _failed(
        self, reaction: Reaction, envelope: Envelope, error: Exception, attempt: int
    ) -> None:
        traces.failed(error)
        if meters := metrics.meters():
            meters.failed(self._group, reaction.event.topic, error)
        log.warning(
            "handler failed, the event waits",
            service=self._service,
            type=wire_type(reaction.name),
            message_id=envelope.id,
            attempt=attempt,
            error=type(error).__name__,
            exc_info=error,
        )


async def _nothing(_: AsyncSession) -> None:
    """What is done for an event that is dropped in its turn."""


def _is_outage(error: Exception) -> bool:
    """The database is away; with it nothing else can be done either."""
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or isinstance(error, StoreError)
