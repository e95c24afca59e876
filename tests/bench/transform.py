"""The benchmark `transform`: records from topic to topic exactly once, in Kafka's transactions,
against reading and publishing them at least once."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dsl.model import TopicModel
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.consumer import KeyedConsumer
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.record import Record
from tests.bench.cost import Cost, Meter, in_turns
from tests.bench.readers import PARTITIONS, filled
from tests.bench.rows import Row, row

#: Records, and how often each side is measured.
RECORDS, ROUNDS = 20_000, 3

_numbers = itertools.count()

#: Runs from one topic to another, in a group, until it is told to stop.
Run = Callable[[str, str, str, asyncio.Event], Awaitable[None]]


async def run(screen: Console) -> list[Row]:
    """Measures, prints the table and returns the rows. Raises ServerError."""
    with tempfile.TemporaryDirectory(prefix="orchestrate-bench-") as name:
        async with DevStack(Path(name), ui=False, require_kafka=True) as stack:
            address = stack.addresses.kafka or ""
            async with KafkaBus(address) as bus:
                with screen.status(f"{RECORDS:,} records"):
                    once, often = await _measure(bus, address)
    table = Table("", "at least once", "exactly once", "CPU µs", "CPU µs")
    rates = f"{often.rate:,.0f}/s", f"{once.rate:,.0f}/s"
    table.add_row("from topic to topic", *rates, *(f"{c.microseconds:.0f}" for c in (often, once)))
    screen.print(table)
    return [
        row("transform/exactly-once", once.rate, often.rate, "records/s"),
        row("transform/exactly-once-cpu", once.microseconds, often.microseconds, "µs/record"),
    ]


async def _measure(bus: Bus, address: str) -> list[Cost]:
    source = await filled(bus, address, RECORDS)

    async def exactly_once(source: str, target: str, group: str, stop: asyncio.Event) -> None:
        async def transform(record: Record) -> list[Record]:
            return [Record(target, record.key, record.value, record.headers)]

        await bus.transform([source], group, transform, stop=stop)

    async def at_least_once(source: str, target: str, group: str, stop: asyncio.Event) -> None:
        async def handle(record: Record) -> None:
            await bus.publish(Record(target, record.key, record.value, record.headers))

        await KeyedConsumer(await bus.reader([source], group), handle).run(stop)

    return await in_turns(
        [lambda: _taken(bus, source, exactly_once), lambda: _taken(bus, source, at_least_once)],
        ROUNDS,
    )


async def _taken(bus: Bus, source: str, work: Run) -> Cost:
    """From the first record that is there for readers to the last."""
    number = next(_numbers)
    target = f"bench-transformed-{number}"
    await bus.create_topics([TopicModel(name=target, partitions=PARTITIONS)])
    tap, stop = await bus.tap([target]), asyncio.Event()
    task = asyncio.create_task(work(source, target, f"transform-{number}", stop))
    left, meter, first = RECORDS, Meter(), 0
    while left > 0:
        found = await tap.poll(1000, 1.0)
        if found and left == RECORDS:
            meter, first = Meter(), len(found)
        left -= len(found)
        if task.done():
            task.result()
    cost = meter.cost(RECORDS - first)
    stop.set()
    await task
    await tap.close()
    return cost
