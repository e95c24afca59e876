"""Topics with records, and two who read them: ours, and a plain loop of aiokafka."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from dsl.model import TopicModel
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.consumer import KeyedConsumer
from orchestrator.messaging.record import Record
from tests.bench.cost import Cost, Meter
from tests.bench.errors import BenchError

KEYS, PARTITIONS = 100, 4
VALUE = b"x" * 200

Handle = Callable[[Any], Awaitable[None]]

_numbers = itertools.count()


async def filled(bus: Bus, address: str, count: int) -> str:
    """A new topic with so many records, in order within each key."""
    topic = f"bench-{next(_numbers)}"
    await bus.create_topics([TopicModel(name=topic, partitions=PARTITIONS)])
    async with producer(address) as opened:
        for n in range(count):
            headers = [("n", str(n).encode())]
            await opened.send(topic, VALUE, f"k{n % KEYS}".encode(), headers=headers)
    return topic


def producer(address: str) -> AIOKafkaProducer:
    """One with the promises of ours."""
    return AIOKafkaProducer(
        bootstrap_servers=address, acks="all", enable_idempotence=True, max_batch_size=256 * 1024
    )


class Order:
    """Checks the order of each key: both sides pay for it."""

    def __init__(self) -> None:
        self._last: dict[str | None, int] = defaultdict(lambda: -1)

    def check(self, key: str | None, headers: Sequence[tuple[str, bytes]]) -> None:
        """Raises BenchError for a number that is not above the key's last."""
        number = int(next(value for name, value in headers if name == "n"))
        if number <= self._last[key]:
            raise BenchError(f"key {key}: {number} came after {self._last[key]}")
        self._last[key] = number


async def ours(bus: Bus, topic: str, count: int, handle: Handle, *, concurrency: int) -> Cost:
    """Of a record, until the last one is handled; raises BenchError when a key's order was not
    kept."""
    stop, left, order, cost = asyncio.Event(), count, Order(), Cost(0, 0)

    async def each(record: Record) -> None:
        nonlocal left, cost
        await handle(record)
        order.check(record.key, record.headers)
        left -= 1
        if not left:
            cost = meter.cost(count)
            stop.set()

    reader = await bus.reader([topic], f"ours-{next(_numbers)}")
    consumer = KeyedConsumer(reader, each, concurrency=concurrency)
    meter = Meter()
    await consumer.run(stop)
    return cost


async def plain(address: str, topic: str, count: int, handle: Handle) -> Cost:
    """Of a record in what one writes first: read, handle, one after the other, and a commit every
    second. Its keys and headers are read as text and checked as ours are."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=address,
        group_id=f"plain-{next(_numbers)}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
    )
    async with consumer:
        meter, done, commit_at, order = Meter(), 0, time.monotonic() + 1, Order()
        async for found in consumer:
            await handle(found)
            order.check(found.key.decode(), found.headers)
            done += 1
            if done == count:
                break
            if time.monotonic() >= commit_at:
                await consumer.commit()
                commit_at = time.monotonic() + 1
        return meter.cost(count)
