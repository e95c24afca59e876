"""Consume, transform, produce on Kafka, each record exactly once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaError

from orchestrator.messaging.bus import AwayError, BusError, Transform, UndeliverableError
from orchestrator.messaging.kafka_line import Line
from orchestrator.messaging.kafka_options import stop_client
from orchestrator.messaging.kafka_settings import NOT_ALLOWED, KafkaSettings
from orchestrator.messaging.kafka_topics import KnownTopics
from orchestrator.messaging.record import Record

log = structlog.get_logger(__name__)

#: Seconds between two tries to join a group again; each is twice the one before it.
_PAUSE, _LONGEST_PAUSE = 0.5, 4.0

#: Makes and starts a consumer of the group; the listener is to be told of rebalances.
Join = Callable[[ConsumerRebalanceListener], Awaitable[AIOKafkaConsumer]]


class KafkaTransform:
    """Runs `transform` over the records of a group; what it gives is published in one transaction
    with the offsets of what it was given.

    aiokafka speaks version 0 of the transactions' requests alone, in which the broker does not look
    at the group's generation. So a reader that lost a partition without knowing it (a zombie) is
    kept out by the producer's epoch, and there is one producer for each partition that is read,
    under the same `transactional.id` whoever reads it: who starts it ends the transactions of who
    had it before.
    """

    def __init__(
        self, settings: KafkaSettings, join: Join, group: str, transform: Transform
    ) -> None:
        self._settings = settings
        self._join = join
        self._group = group
        self._transform = transform
        self._topics = KnownTopics(settings)
        self._consumer: AIOKafkaConsumer | None = None
        self._lines: dict[KafkaPartition, Line] = {}
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        #: Whether it ever did, and whether it does in this session.
        self._joined = self._serving = False

    async def run(self, stop: asyncio.Event) -> None:
        """Transforms until `stop` is set; a transaction that is under way is ended. Joins again
        when the broker went away meanwhile. Raises what `transform` raised, BusError."""
        pause = _PAUSE
        while not stop.is_set():
            self._serving = False
            try:
                await self._session(stop)
            except AwayError as error:
                if not self._joined:
                    raise self._settings.unreachable() from error
                log.warning("transforming waits for Kafka", group=self._group, error=str(error))
                pause = _PAUSE if self._serving else min(pause * 2, _LONGEST_PAUSE)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await stop.wait()

    async def _session(self, stop: asyncio.Event) -> None:
        """From joining the group until `stop`, or until something fails."""
        self._failed = asyncio.get_running_loop().create_future()
        stopped = asyncio.create_task(stop.wait())
        try:
            self._consumer = await self._joining()
            self._joined = self._serving = True
            self._serve()
            await asyncio.wait((stopped, self._failed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            await self.give_up()
            consumer, self._consumer = self._consumer, None
            if consumer is not None:
                await stop_client(consumer, self._settings.connect_limit)
        if self._failed.done():
            self._failed.result()

    async def _joining(self) -> AIOKafkaConsumer:
        try:
            return await self._join(_Listener(self))
        except NOT_ALLOWED as error:
            raise self._settings.refused("to be read", error) from error
        except (KafkaError, OSError, TimeoutError) as error:
            raise AwayError(type(error).__name__) from error

    async def take_over(self, partitions: Iterable[KafkaPartition]) -> None:
        """Partitions were given. Their producers are started before their offsets are read: until
        then one who had them before may still commit."""
        taken = [Line(self._settings, self._group, p, self._checked) for p in partitions]
        self._lines |= {line.partition: line for line in taken}
        ended = await asyncio.gather(*(line.start() for line in taken), return_exceptions=True)
        for error in ended:
            if error is not None:
                raise error
        self._serve()

    async def give_up(self) -> None:
        """All partitions go to others: what is under way is ended before."""
        lines = list(self._lines.values())
        self._lines.clear()
        await asyncio.gather(*(line.stop() for line in lines))

    async def _checked(self, record: Record) -> Sequence[Record]:
        outputs = await self._transform(record)
        for output in outputs:
            if output.topic not in self._topics:
                await self._find(output.topic)
        return outputs

    async def _find(self, topic: str) -> None:
        try:
            await self._topics.find(topic)
        except UndeliverableError:
            raise
        except BusError as error:
            raise AwayError(str(error)) from error

    def fail(self, error: BaseException) -> None:
        """Ends the run with an error."""
        if not self._failed.done():
            self._failed.set_exception(error)
            self._failed.exception()  # looked at, also when something else ends the run first

    def _serve(self) -> None:
        """The first partitions are given before the consumer is at hand."""
        if self._consumer is not None and not self._failed.done():
            for line in self._lines.values():
                if line.started:
                    line.serve(self._consumer, self.fail)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """aiokafka logs what a listener raises and goes on: here it ends the run."""

    def __init__(self, owner: KafkaTransform) -> None:
        self._owner = owner

    async def on_partitions_revoked(self, revoked: Iterable[KafkaPartition]) -> None:
        await self._owner.give_up()

    async def on_partitions_assigned(self, assigned: Iterable[KafkaPartition]) -> None:
        try:
            await self._owner.take_over(assigned)
        except Exception as error:
            self._owner.fail(error)
