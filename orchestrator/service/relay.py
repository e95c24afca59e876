"""Publishes what the outbox holds, in order within each aggregate."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections import deque
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

#: Bytes that are on their way at a time: when the lease is over before the bus has answered, no
#: more than these are sent again.
_WAVE = 4 * 1024 * 1024

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
        """For at most `limit` seconds. The next message of an aggregate is sent when the bus has
        the one before it: what stands behind one that is refused must not arrive."""
        queues: dict[str, deque[Pending]] = {}
        for each in batch:
            queues.setdefault(each.aggregate, deque()).append(each)
        try:
            async with asyncio.timeout(limit):
                while queues and self.outage is None:
                    await self._send(_wave(queues))
                    for aggregate in self.refused:
                        queues.pop(aggregate, None)
        except TimeoutError:
            if not self.done and not self.refused:
                self.outage = BusError(f"the bus acknowledged nothing within {limit:g}s")

    async def _send(self, wave: Sequence[Pending]) -> None:
        failpoint.reach("outbox.before-publish")
        failed = await self._bus.publish_all([_record(each.message) for each in wave])
        for place, each in enumerate(wave):
            error = failed.get(place)
            if error is None:
                self.done.append(each)
            elif isinstance(error, UndeliverableError):
                log.error("outbox holds an aggregate", message_id=each.message.id, error=str(error))
                self.refused[each.aggregate] = str(error)
            else:
                self.outage = error
        failpoint.reach("outbox.after-publish")


def _wave(queues: dict[str, deque[Pending]]) -> list[Pending]:
    """Takes the next of each aggregate, as many as are not too much to be sent again."""
    wave, size = [], 0
    for aggregate, queue in list(queues.items()):
        each = queue.popleft()
        if not queue:
            del queues[aggregate]
        wave.append(each)
        size += len(each.message.payload)
        if size >= _WAVE:
            break
    return wave


def _record(message: OutboxMessage) -> Record:
    headers = tuple((name, value.encode()) for name, value in message.headers)
    return Record(message.topic, message.key, message.payload, headers)


def _named(error: BaseException) -> str:
    """Our own errors are sentences; a driver's may hold what was to be written."""
    ours = isinstance(error, BusError | StoreError)
    return str(error) if ours else type(error).__name__
