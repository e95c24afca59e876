"""The bus on Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener

from dsl.model import TopicModel
from orchestrator.messaging.bus import BusError, Reader, Start, Transform
from orchestrator.messaging.kafka_options import stop_client
from orchestrator.messaging.kafka_producer import KafkaProducer
from orchestrator.messaging.kafka_reader import KafkaReader
from orchestrator.messaging.kafka_settings import KafkaSettings
from orchestrator.messaging.kafka_topics import create_topics, partition_counts
from orchestrator.messaging.kafka_transform import Join, KafkaTransform
from orchestrator.messaging.record import Record

#: Seconds that the other readers of a group have to finish what they are doing.
_REBALANCE = 60.0


class KafkaBus:
    """See `Bus`. One producer for all; each reader has its own connection."""

    def __init__(self, settings: KafkaSettings | str) -> None:
        self._settings = (
            KafkaSettings(bootstrap=settings) if isinstance(settings, str) else settings
        )
        self._producer = KafkaProducer(self._settings)
        self._readers: list[KafkaReader] = []

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.gather(*(reader.close() for reader in self._readers))
        await self._producer.stop()

    async def publish(self, record: Record) -> None:
        """See `Bus`."""
        await self._producer.publish(record)

    async def publish_all(self, records: Sequence[Record]) -> dict[int, BusError]:
        """See `Bus`."""
        return await self._producer.publish_all(records)

    async def create_topics(self, topics: Sequence[TopicModel]) -> list[str]:
        """See `Bus`."""
        return await create_topics(self._settings, topics)

    async def topics(self) -> list[str]:
        """See `Bus`."""
        return sorted(await partition_counts(self._settings))

    async def reader(
        self, topics: Sequence[str], group: str, *, start: Start = "earliest"
    ) -> Reader:
        """See `Bus`."""
        await self._check(topics)
        join = _join(self._settings, topics, group, start)
        return await self._opened(KafkaReader(self._settings, join, grouped=True))

    async def transform(
        self, topics: Sequence[str], group: str, transform: Transform, *, stop: asyncio.Event
    ) -> None:
        """See `Bus`."""
        await self._check(topics)
        join = _join(self._settings, topics, group, "earliest")
        await KafkaTransform(self._settings, join, group, transform).run(stop)

    async def tap(self, topics: Sequence[str]) -> Reader:
        """See `Bus`."""
        await self._check(topics)
        settings = self._settings

        async def listen(_: ConsumerRebalanceListener) -> AIOKafkaConsumer:
            consumer = AIOKafkaConsumer(
                *topics, **_options(settings, "tap"), auto_offset_reset="latest"
            )
            await _started(consumer, settings.connect_limit)
            # Found out now: left to the first poll, what is published before it would be missed.
            await asyncio.gather(*(consumer.position(p) for p in consumer.assignment()))
            return consumer

        return await self._opened(KafkaReader(settings, listen, grouped=False))

    async def _opened(self, reader: KafkaReader) -> Reader:
        await reader.start()
        self._readers = [r for r in self._readers if not r.closed]
        self._readers.append(reader)
        return reader

    async def _check(self, topics: Sequence[str]) -> None:
        present = await partition_counts(self._settings)
        for topic in topics:
            if topic not in present:
                raise self._settings.no_topic(topic)


def _join(settings: KafkaSettings, topics: Sequence[str], group: str, start: Start) -> Join:
    async def join(listener: ConsumerRebalanceListener) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **_options(settings, group),
            group_id=group,
            auto_offset_reset=start,
            session_timeout_ms=int(settings.session_timeout * 1000),
            # Also how soon a reader learns of a rebalance.
            heartbeat_interval_ms=int(min(1.0, settings.session_timeout / 3) * 1000),
            rebalance_timeout_ms=int(_REBALANCE * 1000),
        )
        consumer.subscribe(list(topics), listener=listener)
        await _started(consumer, _REBALANCE + settings.connect_limit)
        return consumer

    return join


def _options(settings: KafkaSettings, role: str) -> dict[str, Any]:
    return {
        **settings.options(role),
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        "request_timeout_ms": 40_000,
    }


async def _started(consumer: AIOKafkaConsumer, limit: float) -> None:
    try:
        async with asyncio.timeout(limit):
            await consumer.start()
    except BaseException:
        await stop_client(consumer, 1.0)
        raise
