"""Hands numbered events on in their order, each once, and buries what stands behind a gap."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import failpoint
from orchestrator.messaging.record import Record
from orchestrator.patience import outlast
from orchestrator.service.kept import from_json, to_json
from orchestrator.store.database import Database
from orchestrator.store.outage import OUTAGES, store_away
from orchestrator.store.sequences import Early, Place, Sequences, Stream

log = structlog.get_logger(__name__)

#: Handles one record, and those whose turn comes with it.
Handle = Callable[[Record], Awaitable[None]]

#: Publishes the dead letter of an event, for a reason; returns when it is safe.
Bury = Callable[[Record, "SequenceError"], Awaitable[None]]

#: Whether the event whose turn it is has come and waits for its next attempt.
Held = Callable[[Stream], Awaitable[bool]]

#: Streams that one look for overdue events takes.
_STREAMS = 1000


class SequenceError(Exception):
    """An event that is out of its order for good; the message says what is missing."""


class Sequencer:
    """The numbered events of one consumer. An early one waits in SQL, at most `limit` of a key and
    `patience` seconds long, whoever reads the partition meanwhile; `run` looks every `every`
    seconds for those whose time is over, but not in a stream that is `held`: there the one before
    them has come, and waits itself. `counts` tells how many events were what."""

    def __init__(
        self,
        database: Database,
        sequences: Sequences,
        consumer: str,
        handle: Handle,
        bury: Bury,
        *,
        limit: int = 100,
        patience: float = 60.0,
        every: float = 1.0,
        held: Held | None = None,
    ) -> None:
        self._database = database
        self._sequences = sequences
        self._consumer = consumer
        self._handle = handle
        self._bury = bury
        self._limit = limit
        self._patience = patience
        self._every = every
        self._held = held
        self.counts: Counter[Place] = Counter()

    def stream(self, type: str, key: str | None) -> Stream:
        """The events of one type and key."""
        return Stream(self._consumer, type, key or "")

    async def is_next(self, stream: Stream, number: int) -> bool:
        """Whether it is an event's turn."""
        async with self._database.reading() as session:
            awaited = await self._sequences.missing(session, stream)
        return number in (0, 1) if awaited is None else number == awaited

    async def place(
        self,
        stream: Stream,
        number: int,
        record: Record,
        work: Callable[[AsyncSession], Awaitable[None]],
    ) -> Place:
        """Where an event stands. Its work is done in the transaction in which it is taken; what is
        out of order for good is buried; an early one is kept. Raises what `work` and `bury` raise,
        StoreError, SQLAlchemyError; then its number is awaited as before."""
        missing: int | None = None
        async with self._database.transaction() as session:
            place = await self._sequences.place(
                session,
                stream,
                number,
                to_json(record),
                limit=self._limit,
                patience=self._patience,
            )
            if place is Place.TAKEN:
                await work(session)
                failpoint.reach("sequence.before-take")
            elif place is Place.EARLY:
                failpoint.reach("sequence.before-keep")
            elif place in _BURIED:
                missing = await self._sequences.missing(session, stream)
        # Not in the transaction, which would be open until the bus answers: when this is not done,
        # the event comes again and stands where it stood.
        if place in _BURIED:
            reason = _reason(place, number, stream.key, missing, self._limit)
            await self._bury(record, SequenceError(reason))
        if place is Place.TAKEN:
            failpoint.reach("sequence.after-take")
        else:
            log.info("event out of order", place=record.place, order=place.name.lower())
        if place is Place.EARLY:
            failpoint.reach("sequence.after-keep")
        self.counts[place] += 1
        return place

    async def turn(self, stream: Stream) -> Record | None:
        """The early event whose turn it is now, to be placed again. Waits out a database that is
        away."""

        async def look() -> Early | None:
            async with self._database.reading() as session:
                return await self._sequences.turn(session, stream)

        early = await outlast(look, _AWAY)
        return None if early is None else from_json(early.record)

    async def block(self, stream: Stream, number: int) -> None:
        """An event that was taken could not be handled and is among the dead letters: those behind
        it follow it there, until it is sent again. Waits out a database that is away."""

        async def block() -> None:
            async with self._database.transaction() as session:
                await self._sequences.block(session, stream, number)

        await outlast(block, _AWAY)

    async def run(self, stop: asyncio.Event) -> None:
        """Ends the waiting whose time is over, until `stop` is set."""
        while not stop.is_set():
            try:
                await self.look()
            except OUTAGES as error:
                log.warning("early events wait on", error=type(error).__name__)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                # A handler that waits for its next attempt was told to stop, or a driver gave a
                # connection up: others wait for this to go on until `stop`.
            try:
                async with asyncio.timeout(self._every):
                    await stop.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Ends the waiting whose time is over now, and goes on where a consumer died."""
        async with self._database.reading() as session:
            streams = await self._sequences.waiting(session, self._consumer, _STREAMS)
        for stream in streams:
            if self._held is not None and await self._held(stream):
                continue
            # In the transaction: what is lost there is nowhere else.
            async with self._database.transaction() as session:
                missing = await self._sequences.missing(session, stream)
                late = await self._sequences.give_up(session, stream)
                for early in late:
                    await self._give_up(early, stream, missing)
                if late:
                    failpoint.reach("sequence.before-give-up")
            if late:
                failpoint.reach("sequence.after-give-up")
            record = await self.turn(stream)
            if record is not None:
                await self._handle(record)

    async def _give_up(self, early: Early, stream: Stream, missing: int | None) -> None:
        record = from_json(early.record)
        log.warning("a gap did not close", place=record.place, missing=missing)
        reason = _reason(Place.EARLY, early.number, stream.key, missing, self._limit)
        await self._bury(record, SequenceError(reason))
        self.counts[Place.BEHIND] += 1


_AWAY = store_away("order")

_BURIED = frozenset({Place.STALE, Place.BEHIND, Place.FULL})


def _reason(place: Place, number: int, key: str, missing: int | None, limit: int) -> str:
    came = f"event {number} of key `{key[:200]}` came"
    match place:
        case Place.STALE:
            return f"{came} after its turn: the sequence began behind it"
        case Place.FULL:
            return f"{came} before event {missing}, for which {limit} others wait already"
        case Place.EARLY:
            return f"{came} and event {missing} before it did not, in the time that it had"
    return f"{came} behind a gap: event {missing} is missing and others were given up for it"
