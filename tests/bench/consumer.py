"""The benchmark `consumer`: the per-key consumer against a plain aiokafka loop, publishing against
bare aiokafka, and memory over many records."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from rich.console import Console
from rich.table import Table

from dsl.model import TopicModel
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.consumer import KeyedConsumer
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.record import Record
from tests.bench.errors import BenchError
from tests.bench.rows import Row, row

KEYS, PARTITIONS = 100, 4
#: Seconds of a slow handler, and how many records each side handles with it.
SLOW, OURS_SLOWLY, PLAINLY_SLOWLY = 0.01, 10_000, 500
#: Records of an empty handler, of publishing, and of the measurement of memory.
EMPTY, PUBLISHED, MANY = 100_000, 30_000, 1_000_000
#: What issue 4 aims at.
SLOW_AIM, EMPTY_AIM, PUBLISH_AIM = 10.0, 1.0, 0.8
VALUE = b"x" * 200
HEADERS = (("ce_id", b"PlaceOrder/42#payment"), ("ce_type", b"payments.ChargeCard"))

_numbers = itertools.count()


async def run(screen: Console) -> list[Row]:
    """Measures, prints the table and returns the rows. Raises BenchError, ServerError."""
    table = Table("", "plain aiokafka", "ours", "ratio")
    with tempfile.TemporaryDirectory(prefix="orchestrate-bench-") as name:
        async with DevStack(Path(name), ui=False, require_kafka=True) as stack:
            address = stack.addresses.kafka or ""
            async with KafkaBus(address) as bus:
                rows = []
                with screen.status("a slow handler") as status:
                    rows.append(await _slow(bus, address))
                    status.update("an empty handler")
                    rows.append(await _empty(bus, address))
                    status.update("publishing")
                    rows.append(await _publishing(bus, address))
                    status.update(f"memory over {MANY:,} records")
                    grown = await _memory(bus, address)
    for each, aim in zip(rows, (SLOW_AIM, EMPTY_AIM, PUBLISH_AIM), strict=True):
        assert each.reference is not None and each.ratio is not None
        ours, plain = f"{each.value:,.0f}/s", f"{each.reference:,.0f}/s"
        table.add_row(each.name.split("/")[1], plain, ours, f"{each.ratio:.2f} (aim {aim:g})")
    screen.print(table)
    screen.print(f"memory grew by {grown:.1f} MiB from record {MANY // 10:,} to {MANY:,}")
    return [*rows, row("consumer/memory-growth", grown, None, "MiB")]


async def _slow(bus: Bus, address: str) -> Row:
    topic = await _filled(bus, address, OURS_SLOWLY)

    async def handle(_: Record) -> None:
        await asyncio.sleep(SLOW)

    ours = await _ours(bus, topic, OURS_SLOWLY, handle, concurrency=KEYS)
    plain = await _plain(address, topic, PLAINLY_SLOWLY, handle)
    return row("consumer/slow-handler", ours, plain, "records/s")


async def _empty(bus: Bus, address: str) -> Row:
    topic = await _filled(bus, address, EMPTY)

    async def handle(_: Record) -> None:
        return

    pairs = []
    for turn in range(4):  # in turns, so that a slower moment of the machine is nobody's
        sides = [
            lambda: _ours(bus, topic, EMPTY, handle, concurrency=64),
            lambda: _plain(address, topic, EMPTY, handle),
        ]
        first, second = [await side() for side in (sides if turn % 2 else sides[::-1])]
        pairs.append((first, second) if turn % 2 else (second, first))
    ours, plain = (statistics.median(side) for side in zip(*pairs, strict=True))
    return row("consumer/empty-handler", ours, plain, "records/s")


async def _publishing(bus: Bus, address: str) -> Row:
    topic = await _filled(bus, address, 0)
    records = [Record(topic, f"k{n % KEYS}", VALUE, HEADERS) for n in range(PUBLISHED)]

    async def ours() -> None:
        for start in range(0, PUBLISHED, 1000):
            assert await bus.publish_all(records[start : start + 1000]) == {}

    async def plain() -> None:
        for start in range(0, PUBLISHED, 1000):
            sent = [
                await producer.send(topic, r.value, (r.key or "").encode(), headers=list(r.headers))
                for r in records[start : start + 1000]
            ]
            await asyncio.gather(*sent)

    async with _producer(address) as producer:
        pairs = []
        for _ in range(5):
            pairs.append((await _timed(ours), await _timed(plain)))
    taken = [statistics.median(side) for side in zip(*pairs, strict=True)]
    return row("consumer/publish", PUBLISHED / taken[0], PUBLISHED / taken[1], "records/s")


async def _memory(bus: Bus, address: str) -> float:
    """MiB that this process grew by, after a tenth of the records has warmed it up."""
    topic = await _filled(bus, address, MANY)
    process, seen, sizes = psutil.Process(), itertools.count(1), []

    async def handle(_: Record) -> None:
        if next(seen) % (MANY // 10) == 0:
            sizes.append(process.memory_info().rss / 2**20)

    await _ours(bus, topic, MANY, handle, concurrency=64)
    return max(sizes) - sizes[0]


async def _filled(bus: Bus, address: str, count: int) -> str:
    """A new topic with so many records, in order within each key."""
    topic = f"bench-{next(_numbers)}"
    await bus.create_topics([TopicModel(name=topic, partitions=PARTITIONS)])
    async with _producer(address) as producer:
        for n in range(count):
            headers = [("n", str(n).encode())]
            await producer.send(topic, VALUE, f"k{n % KEYS}".encode(), headers=headers)
    return topic


def _producer(address: str) -> AIOKafkaProducer:
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


async def _ours(
    bus: Bus,
    topic: str,
    count: int,
    handle: Callable[[Record], Awaitable[None]],
    *,
    concurrency: int,
) -> float:
    """Records per second until the last one is handled; raises BenchError when a key's order was
    not kept."""
    stop, left, order, ended = asyncio.Event(), count, Order(), 0.0

    async def each(record: Record) -> None:
        nonlocal left, ended
        await handle(record)
        order.check(record.key, record.headers)
        left -= 1
        if not left:
            ended = time.perf_counter()
            stop.set()

    reader = await bus.reader([topic], f"ours-{next(_numbers)}")
    consumer = KeyedConsumer(reader, each, concurrency=concurrency)
    begun = time.perf_counter()
    await consumer.run(stop)
    return count / (ended - begun)


async def _plain(
    address: str, topic: str, count: int, handle: Callable[[Any], Awaitable[None]]
) -> float:
    """Records per second of what one writes first: read, handle, one after the other, and a commit
    every second. Its keys and headers are read as text and checked as ours are."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=address,
        group_id=f"plain-{next(_numbers)}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
    )

    async def loop() -> None:
        done, commit_at, order = 0, time.monotonic() + 1, Order()
        async for found in consumer:
            await handle(found)
            order.check(found.key.decode(), found.headers)
            done += 1
            if done == count:
                break
            if time.monotonic() >= commit_at:
                await consumer.commit()
                commit_at = time.monotonic() + 1

    async with consumer:
        return count / await _timed(loop)


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun
