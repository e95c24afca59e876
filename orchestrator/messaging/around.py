"""A bus around another one, which it leaves as it is: what looks at messages builds on it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from dsl.model import TopicModel
from orchestrator.messaging.bus import Bus, BusError, Reader, Start, Transform
from orchestrator.messaging.record import Record


class BusAround:
    """See `Bus`; everything is the inner one's."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def __aenter__(self) -> Self:
        await self._bus.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._bus.__aexit__(kind, error, trace)

    async def publish(self, record: Record) -> None:
        """See `Bus`."""
        await self._bus.publish(record)

    async def publish_all(self, records: Sequence[Record]) -> dict[int, BusError]:
        """See `Bus`."""
        return await self._bus.publish_all(records)

    async def create_topics(self, topics: Sequence[TopicModel]) -> list[str]:
        """See `Bus`."""
        return await self._bus.create_topics(topics)

    async def topics(self) -> list[str]:
        """See `Bus`."""
        return await self._bus.topics()

    async def reader(
        self, topics: Sequence[str], group: str, *, start: Start = "earliest"
    ) -> Reader:
        """See `Bus`."""
        return await self._bus.reader(topics, group, start=start)

    async def transform(
        self, topics: Sequence[str], group: str, transform: Transform, *, stop: asyncio.Event
    ) -> None:
        """See `Bus`."""
        await self._bus.transform(topics, group, transform, stop=stop)

    async def tap(self, topics: Sequence[str]) -> Reader:
        """See `Bus`."""
        return await self._bus.tap(topics)
