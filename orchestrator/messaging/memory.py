"""The bus inside one process, for tests and for a first try without Kafka."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from aiokafka.partitioner import murmur2

from dsl.model import TopicModel
from orchestrator.messaging.bus import (
    BusError,
    CommitError,
    Reader,
    Start,
    Transform,
    UndeliverableError,
)
from orchestrator.messaging.memory_log import Log
from orchestrator.messaging.memory_reader import Group, MemoryReader, MemoryTap
from orchestrator.messaging.outputs import outputs_of
from orchestrator.messaging.record import Record, TopicPartition
from orchestrator.messaging.topics import topic_problem


class MemoryBus:
    """See `Bus`. Partitions, offsets, groups, rebalances and redelivery are as on Kafka; nothing
    outlives the process. Each partition keeps its last `retain` records; a reader that is slower
    than that goes on at the oldest one there is."""

    def __init__(self, *, retain: int = 100_000) -> None:
        self._retain = retain
        self._logs: dict[str, list[Log]] = {}
        self._groups: dict[str, Group] = {}
        self._readers: list[Reader] = []
        self._turn = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for reader in self._readers:
            await reader.close()

    async def publish(self, record: Record) -> None:
        """See `Bus`."""
        self._append(record)
        await asyncio.sleep(0)

    async def publish_all(self, records: Sequence[Record]) -> dict[int, BusError]:
        """See `Bus`."""
        failed: dict[int, BusError] = {}
        for place, record in enumerate(records):
            try:
                self._append(record)
            except BusError as error:
                failed[place] = error
        await asyncio.sleep(0)
        return failed

    async def create_topics(self, topics: Sequence[TopicModel]) -> list[str]:
        """See `Bus`."""
        for topic in topics:
            if problem := topic_problem(topic.name):
                raise BusError(f"`{topic.name[:80]}` cannot be a topic's name: {problem}")
            if topic.partitions < 1:
                raise BusError(f"topic `{topic.name}` needs at least one partition")
        created = []
        for topic in topics:
            if topic.name not in self._logs:
                self._logs[topic.name] = [
                    Log(topic.name, n, self._retain) for n in range(topic.partitions)
                ]
                created.append(topic.name)
        return created

    async def topics(self) -> list[str]:
        """See `Bus`."""
        return sorted(self._logs)

    async def reader(
        self, topics: Sequence[str], group: str, *, start: Start = "earliest"
    ) -> Reader:
        """See `Bus`."""
        logs = self._logs_by_partition(topics)
        found = self._groups.setdefault(group, Group())
        reader = MemoryReader(found, logs, start)
        self._readers.append(reader)
        await found.join(reader)
        return reader

    async def transform(
        self, topics: Sequence[str], group: str, transform: Transform, *, stop: asyncio.Event
    ) -> None:
        """See `Bus`."""
        reader = await self.reader(topics, group)
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                poll = asyncio.create_task(reader.poll(500, 60.0))
                await asyncio.wait((poll, stopped), return_when=asyncio.FIRST_COMPLETED)
                if not poll.done():
                    poll.cancel()
                    break
                records = poll.result()
                outputs = await outputs_of(transform, records)
                await self._commit(reader, records, outputs)
        finally:
            stopped.cancel()
            await reader.close()

    async def _commit(
        self, reader: Reader, records: Sequence[Record], outputs: Sequence[Record]
    ) -> None:
        """All or nothing: no other task runs between the two."""
        now = datetime.now(UTC)
        placed = [(self._log_for(record), record) for record in outputs]
        offsets = {(r.topic, r.partition or 0): (r.offset or 0) + 1 for r in records}
        with contextlib.suppress(CommitError):  # who has them now transforms them again
            await reader.commit(offsets)
            for log, record in placed:
                log.append(record, now)

    async def tap(self, topics: Sequence[str]) -> Reader:
        """See `Bus`."""
        reader = MemoryTap(self._logs_by_partition(topics))
        self._readers.append(reader)
        return reader

    def _append(self, record: Record) -> None:
        self._log_for(record).append(record, datetime.now(UTC))

    def _log_for(self, record: Record) -> Log:
        logs = self._logs_of(record.topic)
        partition = self._partition(record, len(logs))
        if not 0 <= partition < len(logs):
            raise UndeliverableError(
                f"topic `{record.topic}` has no partition {partition}, it has {len(logs)}"
            )
        return logs[partition]

    def _partition(self, record: Record, count: int) -> int:
        if record.partition is not None:
            return record.partition
        if record.key is None:
            self._turn += 1
            return self._turn % count
        # The Java client's rule: the hash's sign bit off, not its absolute value.
        key = record.key.encode("utf-8", "surrogateescape")
        return int((murmur2(key) & 0x7FFFFFFF) % count)

    def _logs_of(self, topic: str) -> list[Log]:
        logs = self._logs.get(topic)
        if logs is None:
            raise UndeliverableError(f"no topic `{topic}` on the in-process bus: create it first")
        return logs

    def _logs_by_partition(self, topics: Sequence[str]) -> dict[TopicPartition, Log]:
        return {(t, log.partition): log for t in topics for log in self._logs_of(t)}
