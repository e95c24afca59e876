"""Publishes what the outbox holds, in order within each aggregate."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import uuid
from collections.abc import Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from orchestrator import failpoint
from orchestrator.messaging.bus import Bus, BusError, UndeliverableError
from orchestrator.messaging.record import Record
from orchestrator.store import outbox
from orchestrator.store.database import Database
from orchestrator.store.errors import StoreError
from orchestrator.store.outbox import OutboxMessage, Pending

log = structlog.get_logger(__name__)

_LONGEST_WAIT = 5.0

#: Servers that are away for a while; whatever else is raised is a bug.
_PASSING = (BusError, StoreError, SQLAlchemyError, OSError)


class Relay:
    """Takes buckets of aggregates by lease, publishes what is pending in them, and marks it.

    As many as one likes may work on one database. A message is marked after the bus has it, so a
    crash between the two publishes it again, under the same id. An aggregate whose message is
    refused waits alone; while the bus does not answer, everything waits. `lease` seconds must
    exceed what publishing a batch takes: what is not acknowledged by then is left to the next
    holder, and a relay that slept through its lease only repeats what others publish, it never
    goes ahead of them.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        *,
        buckets: int = 16,
        batch: int = 500,
        lease: float = 30.0,
        idle: float = 0.5,
    ) -> None:
        self._database = database
        self._bus = bus
        self._buckets = buckets
        self._batch = batch
        self._lease = lease
        self._idle = idle
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._woken = asyncio.Event()
        #: Why the last round failed; None when it did not.
        self.trouble: str | None = None

    def wake(self) -> None:
        """Something was committed: looks now instead of at the end of `idle` seconds."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Publishes until `stop` is set; what is under way then is finished and marked."""
        stopped = asyncio.create_task(stop.wait())
        wait = self._idle
        try:
            while not stop.is_set():
                self._woken.clear()
                try:
                    busy = await self.round() > 0
                    self.trouble = None
                    wait = 0.0 if busy else self._idle
                except _PASSING as error:
                    self.trouble = _named(error)
                    log.warning("outbox waits", error=self.trouble)
                    wait = min(max(wait, 0.1) * 2, _LONGEST_WAIT)
                if wait:
                    await self._rest(wait, stopped)
        finally:
            stopped.cancel()

    async def flush(self, limit: float) -> None:
        """Publishes what there is, for at most `limit` seconds; the rest is for the next start."""
        try:
            async with asyncio.timeout(limit):
                while await self.round():
                    pass
        except (TimeoutError, *_PASSING) as error:
            log.warning("outbox is left for later", error=_named(error))

    async def round(self) -> int:
        """Publishes one batch; how many messages it was. Raises StoreError, SQLAlchemyError, and
        BusError when the bus did not answer; what it did take is marked all the same."""
        async with self._database.transaction() as session:
            buckets = await outbox.claim(session, self._owner, self._buckets, self._lease)
            batch = await outbox.pending(session, buckets, self._batch) if buckets else []
            if batch:
                failpoint.reach("outbox.before-claim")
        attempt = _Attempt(self._bus)
        try:
            if batch:
                failpoint.reach("outbox.after-claim")
                # Half of the lease: the rest is for marking.
                await attempt.publish(batch, self._lease / 2)
        finally:
            if buckets:
                await self._mark(attempt, buckets)
        if attempt.outage is not None:
            raise attempt.outage
        return len(attempt.done)

    async def _mark(self, attempt: _Attempt, buckets: list[int]) -> None:
        async with self._database.transaction() as session:
            await outbox.published(session, attempt.done)
            for aggregate, error in attempt.refused.items():
                await outbox.hold(session, aggregate, error)
            await outbox.release(session, self._owner, buckets)
            if attempt.done:
                failpoint.reach("outbox.before-mark")
        if attempt.done:
            failpoint.reach("outbox.after-mark")

    async def _rest(self, seconds: float, stopped: asyncio.Task[bool]) -> None:
        woken = asyncio.create_task(self._woken.wait())
        await asyncio.wait((woken, stopped), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        woken.cancel()


class _Attempt:
    """One batch on its way: what the bus took, whom it refused, and whether it answered at all."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.done: list[Pending] = []
        self.refused: dict[str, str] = {}
        self.outage: BusError | None = None

    async def publish(self, batch: Sequence[Pending], limit: float) -> None:
        """Aggregates side by side, each in order; at most `limit` seconds."""
        queues: dict[str, list[Pending]] = {}
        for each in batch:
            queues.setdefault(each.aggregate, []).append(each)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit), asyncio.TaskGroup() as group:
                for queue in queues.values():
                    group.create_task(self._in_order(queue))

    async def _in_order(self, queue: list[Pending]) -> None:
        for each in queue:
            if self.outage is not None:
                return
            try:
                failpoint.reach("outbox.before-publish")
                await self._bus.publish(_record(each.message))
                failpoint.reach("outbox.after-publish")
            except UndeliverableError as error:
                log.error("outbox holds an aggregate", message_id=each.message.id, error=str(error))
                self.refused[each.aggregate] = str(error)
                return
            except BusError as error:
                self.outage = error
                return
            self.done.append(each)


def _record(message: OutboxMessage) -> Record:
    headers = tuple((name, value.encode()) for name, value in message.headers)
    return Record(message.topic, message.key, message.payload, headers)


def _named(error: BaseException) -> str:
    """Our own errors are sentences; a driver's may hold what was to be written."""
    ours = isinstance(error, BusError | StoreError)
    return str(error) if ours else type(error).__name__
