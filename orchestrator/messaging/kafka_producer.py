"""An idempotent producer that is replaced when it cannot go on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from orchestrator.messaging.bus import BusError, UndeliverableError
from orchestrator.messaging.deadlines import Deadlines
from orchestrator.messaging.kafka_options import REFUSALS, stop_client
from orchestrator.messaging.kafka_settings import NOT_ALLOWED, KafkaSettings
from orchestrator.messaging.kafka_topics import KnownTopics
from orchestrator.messaging.record import Record

log = structlog.get_logger(__name__)

_BATCH = 256 * 1024

#: Seconds that a producer from which nobody waits for anything has to end.
_END = 1.0


class KafkaProducer:
    """Publishes with `acks=all`, batching what is published at the same time.

    After an error that aiokafka cannot recover from (`OutOfOrderSequenceNumber`: a batch was given
    up, and the broker misses its numbers) it is replaced, and the record published once more.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._replacing = asyncio.Lock()
        self._topics = KnownTopics(settings)
        self._deadlines = Deadlines(settings.publish_limit)
        #: How many wait for an acknowledgement.
        self._waiting = 0

    async def start(self) -> None:
        """Connects. Raises BusError."""
        self._producer = await self._connected()

    async def stop(self) -> None:
        """Sends what somebody waits for and disconnects; may be called twice. What was not
        acknowledged in time, and is said to be so, is not sent any more."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_client(producer, self._settings.publish_limit if self._waiting else _END)

    async def publish(self, record: Record) -> None:
        """See `Bus.publish`. An idempotent aiokafka producer never gives a batch up by itself, so
        a record that timed out may still arrive when the broker is back."""
        producer = self._producer
        self._waiting += 1
        try:
            future = await self._send(record)
            self._deadlines.watch(future)
            await future
        except (KafkaError, TimeoutError) as error:
            failure = self._failure(record, error)
            if failure is not None:
                raise failure from error
            assert producer is not None, "a producer broke"
            await self._replace(producer, error)
            await self._send_again(record)
        finally:
            self._waiting -= 1

    async def publish_all(self, records: Sequence[Record]) -> dict[int, BusError]:
        """See `Bus.publish_all`."""
        self._waiting += 1
        try:
            return await self._all(records)
        finally:
            self._waiting -= 1

    async def _all(self, records: Sequence[Record]) -> dict[int, BusError]:
        producer = self._producer
        failed: dict[int, BusError] = {}
        for place, error in (await self._sent(records)).items():
            record = records[place]
            failure = error if isinstance(error, BusError) else self._failure(record, error)
            if failure is None:
                assert producer is not None, "a producer broke"
                failure = await self._recovered(producer, record, error)
            if failure is not None:
                failed[place] = failure
        return failed

    async def _sent(self, records: Sequence[Record]) -> dict[int, Exception]:
        """Sends all, waits for all, and gives what went wrong, in the order of the records."""
        futures: dict[int, asyncio.Future[Any]] = {}
        errors: dict[int, Exception] = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.publish_limit):
                for place, record in enumerate(records):
                    try:
                        futures[place] = await self._send(record)
                    except (BusError, KafkaError) as error:
                        errors[place] = error
                for future in futures.values():
                    with contextlib.suppress(KafkaError):
                        await future
        for place in range(len(records)):
            if place not in errors and (failure := _error(futures.get(place))) is not None:
                errors[place] = failure
        return dict(sorted(errors.items()))

    async def _recovered(
        self, broken: AIOKafkaProducer, record: Record, error: Exception
    ) -> BusError | None:
        try:
            await self._replace(broken, error)
            await self._send_again(record)
        except BusError as failure:
            return failure
        return None

    def _failure(self, record: Record, error: Exception) -> BusError | None:
        """What is to be told of a record; None when the producer is broken and a new one may send
        it."""
        if isinstance(error, REFUSALS):
            self._topics.forget(record.topic)
            refused = self._settings.refused(f"a record for `{record.topic}`", error)
            return UndeliverableError(str(refused))
        if isinstance(error, KafkaError) and not error.retriable:
            return None
        return self._unacknowledged(record)

    async def _send_again(self, record: Record) -> None:
        try:
            async with asyncio.timeout(self._settings.publish_limit):
                await (await self._send(record))
        except (KafkaError, TimeoutError) as error:
            raise self._unacknowledged(record) from error

    async def _send(self, record: Record) -> asyncio.Future[Any]:
        """Hands a record over; the future is its acknowledgement."""
        topic, key, value, headers, partition, _, _ = record
        if topic not in self._topics:
            await self._topics.find(topic)
        producer = self._producer
        if producer is None:
            raise BusError("the bus is closed")
        if partition is not None:
            known = await producer.partitions_for(topic)
            if partition not in known:
                raise UndeliverableError(
                    f"topic `{topic}` has no partition {partition}, it has {len(known)}"
                )
        encoded = None if key is None else key.encode("utf-8", "surrogateescape")
        sent: asyncio.Future[Any] = await producer.send(
            topic, value, encoded, partition, headers=list(headers)
        )
        return sent

    async def _replace(self, broken: AIOKafkaProducer, error: Exception) -> None:
        async with self._replacing:
            if self._producer is broken:
                log.warning("producer replaced", error=type(error).__name__)
                self._producer = await self._connected()
                await stop_client(broken, 1.0)

    async def _connected(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(**self._settings.options("producer"), **self._options())
        try:
            async with asyncio.timeout(self._settings.connect_limit):
                await producer.start()
        except BaseException as error:
            await stop_client(producer, 1.0)
            if isinstance(error, NOT_ALLOWED):
                raise self._settings.refused("the login", error) from error
            if isinstance(error, KafkaError | OSError | TimeoutError):
                raise self._settings.unreachable() from error
            if isinstance(error, ValueError):
                raise self._settings.no_address() from error
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


def _error(future: asyncio.Future[Any] | None) -> Exception | None:
    """Why a record was not acknowledged; one that was not even sent had no time."""
    if future is None or future.cancelled() or not future.done():
        if future is not None:
            future.cancel()  # else its error would be reported as one that nobody looked at
        return TimeoutError()
    error = future.exception()
    assert error is None or isinstance(error, Exception)
    return error
