"""Partitions in which nothing begins while one record waits."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.messaging.record import TopicPartition


class Gates:
    """One for each partition, open unless it is closed by somebody who waits."""

    def __init__(self) -> None:
        self._closed: Counter[TopicPartition] = Counter()
        self._opened: dict[TopicPartition, asyncio.Event] = {}

    async def passed(self, partition: TopicPartition) -> None:
        """Waits until the gate is open."""
        while self._closed[partition]:
            await self._opened[partition].wait()

    @contextmanager
    def closed(self, partition: TopicPartition) -> Iterator[None]:
        """Closes it for the block."""
        opened = self._opened.setdefault(partition, asyncio.Event())
        opened.clear()
        self._closed[partition] += 1
        try:
            yield
        finally:
            self._closed[partition] -= 1
            if not self._closed[partition]:
                opened.set()
