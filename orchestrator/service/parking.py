"""Where events wait for their next attempt while others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from dsl.model import Order
from orchestrator import failpoint
from orchestrator.messaging.obituary import first_place, is_redriven
from orchestrator.messaging.record import Record
from orchestrator.patience import outlast
from orchestrator.service.kept import from_json, to_json
from orchestrator.store import parking
from orchestrator.store.database import Database
from orchestrator.store.outage import OUTAGES, store_away
from orchestrator.store.parking import Parked

log = structlog.get_logger(__name__)

#: Seconds in which an attempt is expected to end; after that another process makes it, too, and the
#: inbox lets one of them through.
_LEASE = 60.0

#: Messages that one look takes.
_BATCH = 50


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt that failed, and another one is due in so many seconds. One that was not even
    made, or was a breaker's probe, is not `spent`."""

    wait: float
    error: str
    spent: bool = True


class Buried:
    """The record is a dead letter now, and holds its key."""


#: How an attempt ended that was not the record's end.
Ended = Failed | Buried | None

#: One attempt, the n-th from 1 on: None when the record has come to its end.
Attempt = Callable[[Record, int], Awaitable[Ended]]


class Parking:
    """The events of one consumer that have failed and will be tried again. In SQL, so that
    their partition goes on, and that whoever reads it after a rebalance finds which keys wait.
    `ordered`: later events of a key queue behind the one that waits, and behind one that is a dead
    letter, until a person has decided on that. `unordered`: they pass it."""

    def __init__(
        self,
        database: Database,
        consumer: str,
        order: Order,
        attempt: Attempt,
        *,
        every: float = 1.0,
    ) -> None:
        self._database = database
        self._consumer = consumer
        self._order = order
        self._attempt = attempt
        self._every = every
        self._woken = asyncio.Event()

    async def holds(self, topic: str, key: str) -> bool:
        """Whether something of a key waits. Raises StoreError, SQLAlchemyError."""
        async with self._database.reading() as session:
            return await parking.is_parked(session, self._consumer, f"{topic}/{key}")

    async def queued(self, record: Record) -> bool:
        """Puts a record behind one of its key that waits, if there is one. Raises StoreError,
        SQLAlchemyError."""
        if self._order is Order.UNORDERED:
            return False
        lane = self._lane(record)
        async with self._database.reading() as session:
            if not await parking.is_parked(session, self._consumer, lane):
                return False
        async with self._database.transaction() as session:
            # Looked at again: what waited may be done, and nothing would follow it.
            if not await parking.is_parked(session, self._consumer, lane):
                return False
            kept = to_json(record)
            await parking.add(session, self._consumer, lane, first_place(record), kept)
            failpoint.reach("parked.before-queue")
        failpoint.reach("parked.after-queue")
        self._woken.set()
        return True

    async def park(self, record: Record, failed: Failed) -> None:
        """Keeps a record whose first attempt failed. Raises StoreError, SQLAlchemyError."""
        async with self._database.transaction() as session:
            await parking.add(
                *(session, self._consumer, self._lane(record), first_place(record)),
                to_json(record),
                attempts=1 if failed.spent else 0,
                wait=failed.wait,
                error=failed.error,
            )
            failpoint.reach("parked.before-keep")
        failpoint.reach("parked.after-keep")
        self._wake_in(failed.wait)

    async def hold(self, record: Record) -> None:
        """Holds the key of a record that is a dead letter now. Raises StoreError,
        SQLAlchemyError."""
        async with self._database.transaction() as session:
            await parking.hold(
                *(session, self._consumer, self._lane(record), first_place(record)),
                to_json(record),
            )
            failpoint.reach("held.before-hold")
        failpoint.reach("held.after-hold")

    async def revived(self, record: Record) -> bool:
        """Whether a record is one that is held, sent again: it is tried in its turn, and those
        behind it follow. Raises StoreError, SQLAlchemyError."""
        if not is_redriven(record):
            return False
        async with self._database.transaction() as session:
            place, kept = first_place(record), to_json(record)
            if not await parking.revive(session, self._consumer, place, kept):
                return False
            failpoint.reach("held.before-revive")
        self._woken.set()
        return True

    async def release(self, record: Record) -> None:
        """A person has discarded the letter that this record tells of: those behind it go on.
        Raises StoreError, SQLAlchemyError."""
        async with self._database.transaction() as session:
            await parking.release(session, self._consumer, first_place(record))
            failpoint.reach("held.before-release")
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Makes the attempts that are due, until `stop` is set."""
        if self._order is not Order.ORDERED:
            await outlast(self._release_all, store_away("what was held"))
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._woken.clear()
                busy = 0
                try:
                    busy = await self.look()
                except OUTAGES as error:
                    log.warning("events wait on", error=type(error).__name__)
                if not busy:
                    await self._rest(stopped)
        finally:
            stopped.cancel()

    async def _release_all(self) -> None:
        """Held by a release of the service that kept the order."""
        async with self._database.transaction() as session:
            await parking.release(session, self._consumer)

    async def look(self) -> int:
        """Makes the attempts that are due now; how many it was."""
        async with self._database.transaction() as session:
            due = await parking.due(session, self._consumer, _BATCH, _LEASE)
        ended = await asyncio.gather(*(self._again(p) for p in due), return_exceptions=True)
        for error in ended:
            if error is not None:
                raise error
        return len(due)

    async def _again(self, parked: Parked) -> None:
        attempts = parked.attempts + 1
        failpoint.reach("parked.before-attempt")
        failed = await self._attempt(from_json(parked.record), attempts)
        async with self._database.transaction() as session:
            if failed is None:
                await parking.remove(session, parked.position)
                failpoint.reach("parked.before-release")
            elif isinstance(failed, Buried):
                record = from_json(parked.record)
                lane, place = self._lane(record), first_place(record)
                await parking.hold(session, self._consumer, lane, place, parked.record)
            else:
                made = attempts if failed.spent else parked.attempts
                await parking.again(session, parked.position, made, failed.wait, failed.error)
        if failed is None:
            failpoint.reach("parked.after-release")
        elif isinstance(failed, Failed):
            self._wake_in(failed.wait)

    def _lane(self, record: Record) -> str:
        if self._order is Order.UNORDERED or record.key is None:
            return first_place(record)
        return f"{record.topic}/{record.key}"

    def _wake_in(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._woken.set)

    async def _rest(self, stopped: asyncio.Task[bool]) -> None:
        woken = asyncio.create_task(self._woken.wait())
        await asyncio.wait(
            (woken, stopped), timeout=self._every, return_when=asyncio.FIRST_COMPLETED
        )
        woken.cancel()
