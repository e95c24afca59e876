"""An idempotent producer that is replaced when it cannot go on."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    IllegalStateError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnknownTopicOrPartitionError,
)

from orchestrator.messaging.bus import BusError, UndeliverableError
from orchestrator.messaging.kafka_settings import NOT_ALLOWED, KafkaSettings
from orchestrator.messaging.kafka_topics import partition_counts
from orchestrator.messaging.record import Record

log = structlog.get_logger(__name__)

#: The record's or the login's fault; the producer is well.
_REFUSALS = (
    *NOT_ALLOWED,
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnknownTopicOrPartitionError,
)

_BATCH = 256 * 1024


class KafkaProducer:
    """Publishes with `acks=all`, batching what is published at the same time.

    After an error that aiokafka cannot recover from (`OutOfOrderSequenceNumber`: a batch was given
    up, and the broker misses its numbers) it is replaced, and the record published once more.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._replacing = asyncio.Lock()
        self._finding = asyncio.Lock()
        self._topics: set[str] = set()

    async def start(self) -> None:
        """Connects. Raises BusError."""
        self._producer = await self._connected()

    async def stop(self) -> None:
        """Sends what is under way and disconnects; may be called twice."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer, self._settings.publish_limit)

    async def publish(self, record: Record) -> None:
        """See `Bus.publish`. An idempotent aiokafka producer never gives a batch up by itself, so
        a record that timed out may still arrive when the broker is back."""
        if record.topic not in self._topics:
            await self._find(record.topic)
        producer = self._current()
        try:
            async with asyncio.timeout(self._settings.publish_limit):
                await self._send_by(producer, record)
        except TimeoutError:
            raise self._unacknowledged(record) from None
        except _REFUSALS as error:
            self._topics.discard(record.topic)
            refused = self._settings.refused(f"a record for `{record.topic}`", error)
            raise UndeliverableError(str(refused)) from error
        except KafkaError as error:
            if error.retriable:
                raise self._unacknowledged(record) from error
            log.warning("producer replaced", error=type(error).__name__)
            await self._replace(producer)
            await self._send_again(record)

    async def _send_again(self, record: Record) -> None:
        try:
            async with asyncio.timeout(self._settings.publish_limit):
                await self._send_by(self._current(), record)
        except (KafkaError, TimeoutError) as error:
            raise self._unacknowledged(record) from error

    async def _send_by(self, producer: AIOKafkaProducer, record: Record) -> None:
        if record.partition is not None:
            known = await producer.partitions_for(record.topic)
            if record.partition not in known:
                raise UndeliverableError(
                    f"topic `{record.topic}` has no partition {record.partition}, "
                    f"it has {len(known)}"
                )
        key = None if record.key is None else record.key.encode("utf-8", "surrogateescape")
        future = await producer.send(
            record.topic, record.value, key, record.partition, headers=list(record.headers)
        )
        await future

    async def _find(self, topic: str) -> None:
        async with self._finding:  # a thousand first records ask once
            if topic not in self._topics:
                # Asked for by name, a broker may create it with its own number of partitions.
                self._topics |= (await partition_counts(self._settings)).keys()
        if topic not in self._topics:
            raise self._settings.no_topic(topic)

    async def _replace(self, broken: AIOKafkaProducer) -> None:
        async with self._replacing:
            if self._producer is broken:
                self._producer = await self._connected()
                await _stop(broken, 1.0)

    def _current(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise BusError("the bus is closed")
        return self._producer

    async def _connected(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(**self._settings.options("producer"), **self._options())
        try:
            async with asyncio.timeout(self._settings.connect_limit):
                await producer.start()
        except BaseException as error:
            await _stop(producer, 1.0)
            if isinstance(error, NOT_ALLOWED):
                raise self._settings.refused("the login", error) from error
            if isinstance(error, KafkaError | OSError | TimeoutError):
                raise self._settings.unreachable() from error
            raise
        return producer

    def _options(self) -> dict[str, Any]:
        return {
            "acks": "all",
            "enable_idempotence": True,
            # While one request is under way the next batch fills: measured, waiting for more
            # before the first one costs latency and wins nothing.
            "linger_ms": 0,
            "max_batch_size": _BATCH,
            "request_timeout_ms": int(self._settings.publish_limit * 1000),
        }

    def _unacknowledged(self, record: Record) -> BusError:
        return BusError(
            f"Kafka at `{self._settings.bootstrap}` did not acknowledge a record for "
            f"`{record.topic}` within {self._settings.publish_limit:g}s: is it running?"
        )


async def _stop(producer: AIOKafkaProducer, limit: float) -> None:
    with contextlib.suppress(KafkaError, IllegalStateError, TimeoutError, OSError):
        async with asyncio.timeout(limit):
            await producer.stop()
