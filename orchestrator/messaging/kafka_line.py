"""One partition that is read to be transformed, with the producer of its transactions."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import IllegalStateError, KafkaError

from orchestrator import failpoint
from orchestrator.messaging.bus import AwayError, Transform, UndeliverableError
from orchestrator.messaging.kafka_options import MOVED_ON, REFUSALS, stop_client
from orchestrator.messaging.kafka_records import to_records
from orchestrator.messaging.kafka_settings import NOT_ALLOWED, KafkaSettings
from orchestrator.messaging.outputs import outputs_of
from orchestrator.messaging.record import Record

log = structlog.get_logger(__name__)

#: Records in one transaction at most.
_BATCH = 200

#: Seconds of a poll, and of the wait before a failed one is repeated.
_POLL, _PAUSE = 1.0, 0.5


class Line:
    """Reads a partition, transforms its records, and commits both in transactions."""

    def __init__(
        self, settings: KafkaSettings, group: str, partition: KafkaPartition, transform: Transform
    ) -> None:
        self.partition = partition
        self._settings = settings
        self._group = group
        self._transform = transform
        self._producer: AIOKafkaProducer | None = None
        self._task: asyncio.Task[None] | None = None
        self._working = asyncio.Lock()
        self._revoked = False

    @property
    def transactional_id(self) -> str:
        """The same for whoever reads this partition in this group."""
        topic, partition = self.partition
        return f"{self._settings.client_id}-{self._group}-{topic}-{partition}"

    @property
    def started(self) -> bool:
        """Whether nobody else can commit for this partition."""
        return self._producer is not None

    async def start(self) -> None:
        """Starts the producer; whoever had its id before can commit no longer. Raises BusError,
        AwayError."""
        producer = AIOKafkaProducer(
            **self._settings.options("transform"),
            transactional_id=self.transactional_id,
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=int(self._settings.publish_limit * 1000),
        )
        try:
            async with asyncio.timeout(self._settings.publish_limit):
                await producer.start()
        except BaseException as error:
            await stop_client(producer, 1.0)
            if isinstance(error, NOT_ALLOWED):
                raise self._settings.refused("a transaction", error) from error
            if isinstance(error, KafkaError | OSError | TimeoutError):
                raise AwayError(type(error).__name__) from error
            raise
        if self._revoked:
            await stop_client(producer, 1.0)
        else:
            self._producer = producer

    def serve(self, consumer: AIOKafkaConsumer, fail: Callable[[BaseException], None]) -> None:
        """Begins to read."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(consumer, fail))

    async def stop(self) -> None:
        """Ends the transaction that is under way, and begins no other. One that takes too long is
        left to the next reader, whose producer aborts it."""
        self._revoked = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.publish_limit), self._working:
                pass
        if self._task is not None:
            self._task.cancel()
            # An abort that the broker does not answer ends with the producer.
            await asyncio.wait((self._task,), timeout=1.0)
        await self._drop_producer()

    async def _run(self, consumer: AIOKafkaConsumer, fail: Callable[[BaseException], None]) -> None:
        try:
            await self._go_back(consumer)
            while not self._revoked:
                found = await self._fetch(consumer)
                async with self._working:
                    if found and not self._revoked:
                        await self._do(consumer, found)
        except _LostError:
            log.warning("partition lost to another reader", transaction=self.transactional_id)
            await self._drop_producer()
        except Exception as error:
            fail(error)

    async def _fetch(self, consumer: AIOKafkaConsumer) -> list[Record]:
        try:
            found = await consumer.getmany(
                self.partition, timeout_ms=int(_POLL * 1000), max_records=_BATCH
            )
        except NOT_ALLOWED as error:
            raise self._settings.refused("to be read", error) from error
        except KafkaError as error:
            if not error.retriable:
                raise AwayError(type(error).__name__) from error
            log.warning("reading failed, trying again", error=type(error).__name__)
            await asyncio.sleep(_PAUSE)
            return []
        return to_records(found)

    async def _do(self, consumer: AIOKafkaConsumer, records: list[Record]) -> None:
        outputs = await outputs_of(self._transform, records)
        offset = records[-1].offset
        assert offset is not None, "a record that was read"
        try:
            await self._commit(outputs, offset + 1)
        except REFUSALS as error:
            refused = self._settings.refused("what was to be published", error)
            raise UndeliverableError(str(refused)) from error
        except (KafkaError, TimeoutError, AssertionError) as error:
            log.warning(
                "transaction failed, done once more",
                transaction=self.transactional_id,
                error=type(error).__name__,
            )
            await self._recover(consumer)

    async def _commit(self, outputs: list[Record], offset: int) -> None:
        """In one transaction, at most `publish_limit` seconds. What fails is not aborted here:
        whether it was committed, nobody knows, and the next producer finds out. After some errors
        aiokafka begins no other transaction, and fails an assertion."""
        producer = self._producer
        assert producer is not None, "started before it serves"
        futures: list[asyncio.Future[object]] = []
        try:
            async with asyncio.timeout(self._settings.publish_limit):
                await producer.begin_transaction()
                failpoint.reach("transform.before-publish")
                for record in outputs:
                    futures.append(await _send(producer, record))
                # Looked at one by one: a commit does not notice a batch that was refused.
                for future in futures:
                    await future
                failpoint.reach("transform.before-offsets")
                await producer.send_offsets_to_transaction({self.partition: offset}, self._group)
                failpoint.reach("transform.before-commit")
                await producer.commit_transaction()
        finally:
            for future in futures:
                if not future.cancel() and not future.cancelled():
                    future.exception()
        failpoint.reach("transform.after-commit")

    async def _recover(self, consumer: AIOKafkaConsumer) -> None:
        """With a new producer. It ends the transaction whose outcome is unknown, so that what is
        committed stands before it is read: while a commit is under way, the broker still tells
        what was committed before, and committing that again would take the new offset back. A
        partition that is not ours any more is left to its reader, who has to do the same."""
        await self._drop_producer()
        await self.start()
        await self._check_membership(consumer)
        await self._go_back(consumer)

    async def _check_membership(self, consumer: AIOKafkaConsumer) -> None:
        """Commits what is committed already: that alone shows the broker the group's generation.
        Raises _LostError, AwayError."""
        committed = await self._committed(consumer)
        try:
            async with asyncio.timeout(self._settings.publish_limit):
                await consumer.commit({self.partition: committed or 0})
        except MOVED_ON as error:
            raise _LostError from error
        except (KafkaError, TimeoutError, OSError) as error:
            raise AwayError(type(error).__name__) from error

    async def _go_back(self, consumer: AIOKafkaConsumer) -> None:
        """To what is committed: what was read beyond it had no effect. Raises _LostError,
        AwayError."""
        committed = await self._committed(consumer)
        try:
            if committed is None:
                await consumer.seek_to_beginning(self.partition)
            else:
                consumer.seek(self.partition, committed)
        except IllegalStateError as error:
            raise _LostError from error

    async def _committed(self, consumer: AIOKafkaConsumer) -> int | None:
        try:
            async with asyncio.timeout(self._settings.publish_limit):
                found: int | None = await consumer.committed(self.partition)
        except (KafkaError, TimeoutError, OSError) as error:
            raise AwayError(type(error).__name__) from error
        return found

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_client(producer, 1.0)


class _LostError(Exception):
    """The partition is another reader's."""


async def _send(producer: AIOKafkaProducer, record: Record) -> asyncio.Future[object]:
    if record.partition is not None:
        known = await producer.partitions_for(record.topic)
        if record.partition not in known:
            raise UndeliverableError(
                f"topic `{record.topic}` has no partition {record.partition}, it has {len(known)}"
            )
    key = None if record.key is None else record.key.encode("utf-8", "surrogateescape")
    future: asyncio.Future[object] = await producer.send(
        record.topic, record.value, key, record.partition, headers=list(record.headers)
    )
    return future
