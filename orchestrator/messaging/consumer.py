"""Per-key order with key-level concurrency inside a partition, at least once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection
from itertools import groupby
from operator import attrgetter
from typing import Any

import structlog

from orchestrator import failpoint
from orchestrator.messaging.bus import BusError, CommitError, Reader
from orchestrator.messaging.lanes import Handle, Lanes
from orchestrator.messaging.progress import Progress
from orchestrator.messaging.record import Record, TopicPartition
from orchestrator.telemetry import metrics

log = structlog.get_logger(__name__)

_partition = attrgetter("topic", "partition")

#: Records of one poll. Measured: with 500, so many objects live at a time that Python's collector
#: of cycles runs all the while, for an eighth of what a record costs; with 200 it hardly runs.
_AT_ONCE = 200

_POLL = 1.0
_POLL_PAUSED = 0.05


class KeyedConsumer:
    """Hands each record of a reader to `handle`: keys side by side, one key never.

    A record is done when `handle` returns; offsets are committed up to the first one that is not
    (every `commit_every` seconds, on a rebalance and at the end), so a crash repeats records and
    `handle` must know those. What `handle` raises is a bug of the caller's: it ends the consumer.
    At most about `max_in_flight` records and `max_bytes` are held; partitions over their share of
    that are paused. Before partitions go to another reader, handlers that run are waited for
    (`drain_limit` seconds, then cancelled) and what waits is dropped, for the other reader; so are
    handlers whose task is among `idle` then: they wait to be let through.
    """

    def __init__(
        self,
        reader: Reader,
        handle: Handle,
        *,
        concurrency: int = 64,
        name: str = "consumer",
        max_in_flight: int = 2_000,
        max_bytes: int = 64 * 1024 * 1024,
        commit_every: float = 1.0,
        drain_limit: float = 20.0,
        idle: Collection[asyncio.Task[Any]] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if concurrency < 1 or max_in_flight < 1:
            raise ValueError("concurrency and max_in_flight are at least 1")
        self._reader = reader
        self._lanes = Lanes(handle, concurrency, self._failed)
        self._name = name
        self._max_in_flight = max_in_flight
        self._at_a_time = min(_AT_ONCE, max_in_flight)
        self._max_bytes = max_bytes
        self._commit_every = commit_every
        self._drain_limit = drain_limit
        self._idle = idle
        self._clock = clock
        self._progress: dict[TopicPartition, Progress] = {}
        self._paused: set[TopicPartition] = set()
        self._next_commit = clock() + commit_every
        self._end = asyncio.Event()
        self._error: Exception | None = None
        reader.on_revoked(self._revoked)
        if meters := metrics.meters():
            meters.consumer(name, self.held)

    def held(self) -> metrics.Held:
        """What is in flight: records and bytes by partition."""
        return {p: (s.in_flight, s.bytes) for p, s in self._progress.items()}

    async def run(self, stop: asyncio.Event) -> None:
        """Consumes until `stop` is set, then waits for the handlers that run, commits and closes
        the reader. Raises what `handle` raised, or BusError when the bus cannot be read."""
        loop = asyncio.create_task(self._loop())
        stopped = asyncio.create_task(stop.wait())
        ended = asyncio.create_task(self._end.wait())
        try:
            await asyncio.wait((loop, stopped, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (loop, stopped, ended):
                task.cancel()
            await asyncio.wait((loop, stopped, ended))
            await self._finish()
        if self._error is not None:
            raise self._error
        if not loop.cancelled():
            loop.result()

    async def _loop(self) -> None:
        while True:
            waits = _POLL_PAUSED if self._paused else min(_POLL, self._commit_every)
            records = await self._reader.poll(self._at_a_time, waits)
            # Nothing is awaited from here to `start`: a rebalance cannot come between.
            self._take(records)
            self._lanes.start()
            self._balance()
            if self._clock() >= self._next_commit:
                await self._commit()
            elif records:
                await asyncio.sleep(0)  # a reader with records at hand does not yield by itself

    def _take(self, records: list[Record]) -> None:
        for partition, run in groupby(records, _partition):
            found, progress = list(run), self._progress_of(partition)
            progress.take(found)
            self._lanes.add(found, progress)

    def _progress_of(self, partition: TopicPartition) -> Progress:
        found = self._progress.get(partition)
        if found is None:
            found = self._progress[partition] = Progress()
        return found

    def _failed(self, record: Record, error: Exception) -> None:
        log.error(
            "handler failed, consumer stops",
            consumer=self._name,
            place=record.place,
            error=type(error).__name__,
            exc_info=error,
        )
        self._error = error
        self._end.set()

    def _balance(self) -> None:
        """When too much is held, pauses the partitions that hold their share of it or more;
        resumes those under half of their share."""
        progress, partitions = self._progress.items(), max(1, len(self._progress))
        count, size = self._max_in_flight / partitions, self._max_bytes / partitions
        if (
            sum(s.in_flight for _, s in progress) >= self._max_in_flight
            or sum(s.bytes for _, s in progress) >= self._max_bytes
        ):
            full = {p for p, s in progress if s.in_flight >= count or s.bytes >= size}
            # Every time, because a rebalance forgets what was paused.
            self._reader.pause(full)
            self._paused |= full
        if self._paused:
            free = {
                p
                for p in self._paused
                if (s := self._progress.get(p)) is None
                or (s.in_flight <= count / 2 and s.bytes <= size / 2)
            }
            if free:
                self._reader.resume(free)
                self._paused -= free

    async def _commit(self) -> None:
        self._next_commit = self._clock() + self._commit_every
        moved = {p: o for p, s in self._progress.items() if (o := s.to_commit) is not None}
        if not moved:
            return
        failpoint.reach("offsets.before-commit")
        try:
            await self._reader.commit(moved)
        except CommitError:
            log.info("offsets not committed after a rebalance", consumer=self._name)
        except BusError as error:
            log.warning("offsets not committed yet", consumer=self._name, error=str(error))
        else:
            failpoint.reach("offsets.after-commit")
            for partition, offset in moved.items():
                if partition in self._progress:
                    self._progress[partition].committed = offset

    async def _revoked(self, partitions: frozenset[TopicPartition]) -> None:
        await self._drain()

    async def _drain(self) -> None:
        await self._lanes.drain(self._drain_limit, self._idle)
        await self._commit()
        self._progress.clear()
        self._paused.clear()

    async def _finish(self) -> None:
        with contextlib.suppress(BusError):
            await self._drain()
        await self._reader.close()
