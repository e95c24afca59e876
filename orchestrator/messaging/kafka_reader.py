"""A reader of Kafka that survives the broker's restarts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError

from orchestrator.messaging.bus import BusError, CommitError, OnRebalance
from orchestrator.messaging.kafka_options import MOVED_ON, stop_client
from orchestrator.messaging.kafka_records import Batches, to_records
from orchestrator.messaging.kafka_settings import NOT_ALLOWED, KafkaSettings
from orchestrator.messaging.record import Record, TopicPartition

log = structlog.get_logger(__name__)

#: Polled for when all partitions are paused: no records, but the group sees a live reader.
_NOTHING = KafkaPartition("", 0)

#: Makes and starts a consumer; the listener is to be told of rebalances.
Open = Callable[[ConsumerRebalanceListener], Awaitable[AIOKafkaConsumer]]


class KafkaReader:
    """See `Reader`. Pausing is done here, by asking for the other partitions: aiokafka's own
    throws away what it has fetched of a paused one."""

    def __init__(self, settings: KafkaSettings, open_consumer: Open, *, grouped: bool) -> None:
        self._settings = settings
        self._open = open_consumer
        self._grouped = grouped
        self._consumer: AIOKafkaConsumer | None = None
        self._paused: set[TopicPartition] = set()
        self._closed = False
        self._when_revoked: OnRebalance | None = None
        self._when_assigned: OnRebalance | None = None

    async def start(self) -> None:
        """Joins. Raises BusError."""
        try:
            self._consumer = await self._open(_Listener(self._revoked, self._assigned))
        except NOT_ALLOWED as error:
            raise self._settings.refused("to be read", error) from error
        except (KafkaError, OSError, TimeoutError) as error:
            raise self._settings.unreachable() from error

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    async def poll(self, limit: int, timeout: float) -> list[Record]:  # noqa: ASYNC109
        """See `Reader`."""
        if self._closed:
            raise BusError("the reader is closed")
        if self._consumer is None and not await self._reopened(timeout):
            return []
        consumer = self._consumer
        assert consumer is not None
        try:
            found = await self._fetch(consumer, limit, timeout)
        except ConsumerStoppedError:
            raise BusError("the reader is closed") from None
        except NOT_ALLOWED as error:
            raise self._settings.refused("to be read", error) from error
        except KafkaError as error:
            log.warning("reading failed, trying again", error=type(error).__name__)
            if not error.retriable:
                await self._drop(consumer)
            await asyncio.sleep(min(timeout, 0.5))
            return []
        # aiokafka takes records from its buffer only while no rebalance is going on, and nothing is
        # awaited since: they are of partitions that are held now.
        return to_records(found)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Reader`."""
        if self._consumer is None or not self._grouped or not offsets:
            return
        try:
            async with asyncio.timeout(self._settings.connect_limit):
                await self._consumer.commit({KafkaPartition(*p): o for p, o in offsets.items()})
        except MOVED_ON as error:
            raise CommitError("the group has moved on, its records will be read again") from error
        except (KafkaError, TimeoutError, OSError) as error:
            raise self._settings.unreachable() from error

    def assignment(self) -> frozenset[TopicPartition]:
        """See `Reader`."""
        if self._consumer is None:
            return frozenset()
        return frozenset((p.topic, p.partition) for p in self._consumer.assignment())

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """See `Reader`."""
        self._paused |= set(partitions) & self.assignment()

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """See `Reader`."""
        self._paused -= set(partitions)

    def on_revoked(self, callback: OnRebalance) -> None:
        """See `Reader`."""
        self._when_revoked = callback

    def on_assigned(self, callback: OnRebalance) -> None:
        """See `Reader`."""
        self._when_assigned = callback

    async def close(self) -> None:
        """See `Reader`."""
        self._closed = True
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await stop_client(consumer, self._settings.connect_limit)

    async def _fetch(self, consumer: AIOKafkaConsumer, limit: int, seconds: float) -> Batches:
        chosen: tuple[KafkaPartition, ...] = ()
        if self._paused:
            free = self.assignment() - self._paused
            chosen = tuple(KafkaPartition(*p) for p in free) or (_NOTHING,)
        # During a rebalance aiokafka waits for its end, however long that takes.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds + 1):
                found: Batches = await consumer.getmany(
                    *chosen, timeout_ms=int(seconds * 1000), max_records=limit
                )
                return found
        return {}

    async def _reopened(self, seconds: float) -> bool:
        try:
            await self.start()
        except BusError as error:
            log.warning("reconnecting failed, trying again", error=str(error))
            await asyncio.sleep(min(seconds, 1.0))
            return False
        return True

    async def _drop(self, consumer: AIOKafkaConsumer) -> None:
        """aiokafka gave up: its tasks ended with an error. The next poll opens another one."""
        await self._revoked(self.assignment())
        self._consumer = None
        await stop_client(consumer, 1.0)

    async def _revoked(self, partitions: frozenset[TopicPartition]) -> None:
        self._paused.clear()
        if self._when_revoked is not None and partitions:
            await self._when_revoked(partitions)

    async def _assigned(self, partitions: frozenset[TopicPartition]) -> None:
        if self._when_assigned is not None:
            await self._when_assigned(partitions)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, revoked: OnRebalance, assigned: OnRebalance) -> None:
        self._revoked = revoked
        self._assigned = assigned

    async def on_partitions_revoked(self, revoked: Iterable[KafkaPartition]) -> None:
        await self._revoked(frozenset((p.topic, p.partition) for p in revoked))

    async def on_partitions_assigned(self, assigned: Iterable[KafkaPartition]) -> None:
        await self._assigned(frozenset((p.topic, p.partition) for p in assigned))
