"""Events in, each with its effect once."""

from __future__ import annotations

import asyncio
import random
from contextlib import ExitStack
from datetime import timedelta

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from dsl.model import Order, Overflow, PolicyModel, Retry, wire_type
from orchestrator.messaging.admission import Admission, Attempt
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.codec import DecodeError
from orchestrator.messaging.deadletter import Disposition
from orchestrator.messaging.envelope import Envelope, EnvelopeError, from_record
from orchestrator.messaging.record import Record
from orchestrator.messaging.traced import processing
from orchestrator.service.about import about
from orchestrator.service.gates import Gates
from orchestrator.service.parking import Failed, Parking
from orchestrator.service.post import Post
from orchestrator.service.process import Process, Processed
from orchestrator.service.reaction import Reaction, reaction_group
from orchestrator.service.relay import Relay
from orchestrator.service.sequencer import SequenceError, Sequencer
from orchestrator.service.service import Service
from orchestrator.store import sequences
from orchestrator.store.database import Database
from orchestrator.store.errors import ConflictError, StoreError
from orchestrator.store.sequences import Stream
from orchestrator.telemetry import metrics, traces

log = structlog.get_logger(__name__)

#: Where a policy names no longest wait, in seconds; and for a service without a policy.
_LONGEST_WAIT = 30.0
_RETRY = Retry(attempts=5, initial=timedelta(milliseconds=500), factor=2.0)


class ShedError(Exception):
    """More comes than the policy lets through, and this may be dropped."""


class Events:
    """What a service does with a record of a topic whose events it handles.

    Nobody sends an event again, so a handler that breaks is tried again here, as the service's
    policy says; then the event goes to the dead letters as `exhausted`. Meanwhile it is parked in
    SQL, with later ones of its key behind it (`order: ordered`), or these pass it (`unordered`), or
    its whole partition waits (`blocking`). A database that is away costs no attempt. The offset is
    committed when the effect is, or the event is parked, or its dead letter acknowledged. Numbered
    events are handled in their order, and one that is given up is missing there; what is delivered
    at most once is tried once, and dropped when that fails.
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
    ) -> None:
        self._service = service.name
        self._group = reaction_group(service.name)
        self._process = process
        self._relay = relay
        self._stop = stop
        self._admission = admission
        policy = service.model.policy
        self._sheds = policy is not None and policy.overflow is Overflow.SHED
        self._post = Post(bus, reaction_group(service.name))
        self._reactions = {wire_type(name): r for name, r in service.reactions.items()}
        self._retry = retry_of(service.model.policy)
        self.sequencer = Sequencer(
            *(database, sequences.participant, reaction_group(service.name)),
            *(self.handle, self._out_of_turn),
            patience=service.gap.total_seconds(),
            held=self._held,
        )
        order = Order.ORDERED if service.model.policy is None else service.model.policy.order
        self._blocking = order is Order.BLOCKING
        self._gates = Gates()
        self.parking = Parking(database, reaction_group(service.name), order, self._again)

    async def handle(self, record: Record) -> None:
        """One record, to its end: handled, kept for its turn, passed over or dead-lettered; and the
        numbered ones whose turn comes with it."""
        following: Record | None = record
        while following is not None:
            following = await self._one(following)

    async def _one(self, record: Record) -> Record | None:
        """The early record whose turn it is after this one."""
        try:
            envelope = from_record(record)
        except EnvelopeError as error:
            await self._post.give_up(record, error, Disposition.POISON)
            return None
        reaction = self._reactions.get(envelope.type)
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
        Whether it came to its end."""
        outages = 0
        while True:
            try:
                if not reaction.at_most_once and await self.parking.queued(record):
                    return False
                failed = await self._attempt(reaction, envelope, record, 1)
                if failed is not None:
                    await self.parking.park(record, failed)
                return failed is None
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
                    failed = await self._attempt(reaction, envelope, record, attempt)
                    if failed is None:
                        return
                    attempt, wait = attempt + failed.spent, failed.wait
                except Exception as error:
                    if not _is_outage(error):
                        raise
                    outages += 1
                    wait = wait_after(self._retry, outages)
                if not closed:  # at the first failure
                    closed = True
                    waiting.enter_context(self._gates.closed(partition))
                await self._rest(wait)

    async def _again(self, record: Record, attempt: int) -> Failed | None:
        """A later attempt of a parked record, or the first one of a record behind it."""
        envelope = from_record(record)
        reaction = self._reactions.get(envelope.type)
        if reaction is None:
            return None  # a release that handles it no longer
        if wait := self._admission.wait():
            return Failed(wait, "held back", spent=False)
        with about(envelope), processing(record, self._group):
            failed = await self._attempt(reaction, envelope, record, attempt)
        if failed is None and (following := await self._next(reaction, envelope)) is not None:
            await self.handle(following)
        return failed

    async def _attempt(
        self, reaction: Reaction, envelope: Envelope, record: Record, attempt: int
    ) -> Failed | None:
        """None when the record has come to its end. Raises an outage of the database."""
        if self._sheds and reaction.at_most_once and self._admission.wait():
            self._admission.counts["shed"] += 1
            await self._drop(reaction, envelope, record, ShedError())
            return None
        async with self._admission.attempt(self._stop) as begun:
            return await self._begun(begun, reaction, envelope, record, attempt)

    async def _begun(
        self, begun: Attempt, reaction: Reaction, envelope: Envelope, record: Record, attempt: int
    ) -> Failed | None:
        try:
            processed = await self._do(reaction, envelope, record)
        except DecodeError as error:
            begun.dropped()
            await self._post.give_up(record, error, Disposition.POISON)
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


def retry_of(policy: PolicyModel | None) -> Retry:
    """How often, and how soon, an event is tried again."""
    return _RETRY if policy is None else policy.retry


def wait_after(retry: Retry, attempt: int) -> float:
    """Seconds between an attempt (from 1 on) and the next."""
    longest = _LONGEST_WAIT if retry.maximum is None else retry.maximum.total_seconds()
    # Before the power: of a large one there is no float.
    steps = min(attempt - 1, 64)
    wait = min(retry.initial.total_seconds() * retry.factor**steps, longest)
    return wait * (1 + retry.jitter * random.random())


def _is_outage(error: Exception) -> bool:
    """The database is away; with it nothing else can be done either."""
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or isinstance(error, StoreError)
