"""The benchmark `consumer`: the per-key consumer against a plain aiokafka loop, and publishing
against bare aiokafka."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.record import Record
from tests.bench.aim import Aim, at_most_times, times
from tests.bench.cost import Cost, Meter, in_turns
from tests.bench.readers import KEYS, VALUE, filled, ours, plain, producer
from tests.bench.rows import Row, row

#: Seconds of a slow handler, and how many records each side handles with it.
SLOW, OURS_SLOWLY, PLAINLY_SLOWLY = 0.01, 10_000, 500
#: Records of an empty handler and of publishing, and how often each is measured.
EMPTY, PUBLISHED, ROUNDS = 100_000, 30_000, 6
#: What issue 4 aims at: rates, and where that is the point, time on the processor.
SLOW_AIM, EMPTY_AIM, PUBLISH_AIM = (times(10),), (times(1), at_most_times(1)), (times(0.8),)
HEADERS = (("ce_id", b"PlaceOrder/42#payment"), ("ce_type", b"payments.ChargeCard"))


async def run(screen: Console) -> list[Row]:
    """Measures, prints the table and returns the rows. Raises BenchError, ServerError."""
    table = Table("", "plain aiokafka", "ours", "CPU µs, plain", "CPU µs, ours")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="orchestrate-bench-") as name:
        async with DevStack(Path(name), ui=False, require_kafka=True) as stack:
            address = stack.addresses.kafka or ""
            async with KafkaBus(address) as bus:
                for what, measure, aim in (
                    ("slow-handler", _slow, SLOW_AIM),
                    ("empty-handler", _empty, EMPTY_AIM),
                    ("publish", _publishing, PUBLISH_AIM),
                ):
                    with screen.status(what):
                        mine, theirs = await measure(bus, address)
                    rows += _rows(what, mine, theirs, *aim)
                    rates = f"{theirs.rate:,.0f}/s", f"{mine.rate:,.0f}/s"
                    table.add_row(what, *rates, *(f"{c.microseconds:.1f}" for c in (theirs, mine)))
    screen.print(table)
    return rows


def _rows(
    what: str, mine: Cost, theirs: Cost, aim: Aim, processor_aim: Aim | None = None
) -> list[Row]:
    processor = mine.microseconds, theirs.microseconds
    return [
        row(f"consumer/{what}", mine.rate, theirs.rate, "records/s", aim),
        row(f"consumer/{what}-cpu", *processor, "µs/record", processor_aim),
    ]


async def _slow(bus: Bus, address: str) -> list[Cost]:
    topic = await filled(bus, address, OURS_SLOWLY)

    async def handle(_: Any) -> None:
        await asyncio.sleep(SLOW)

    return [
        await ours(bus, topic, OURS_SLOWLY, handle, concurrency=KEYS),
        await plain(address, topic, PLAINLY_SLOWLY, handle),
    ]


async def _empty(bus: Bus, address: str) -> list[Cost]:
    topic = await filled(bus, address, EMPTY)

    async def handle(_: Any) -> None:
        return

    return await in_turns(
        [
            lambda: ours(bus, topic, EMPTY, handle, concurrency=64),
            lambda: plain(address, topic, EMPTY, handle),
        ],
        ROUNDS,
    )


async def _publishing(bus: Bus, address: str) -> list[Cost]:
    topic = await filled(bus, address, 0)
    records = [Record(topic, f"k{n % KEYS}", VALUE, HEADERS) for n in range(PUBLISHED)]

    async def with_ours() -> Cost:
        meter = Meter()
        for start in range(0, PUBLISHED, 1000):
            assert await bus.publish_all(records[start : start + 1000]) == {}
        return meter.cost(PUBLISHED)

    async with producer(address) as bare:

        async def plainly() -> Cost:
            meter = Meter()
            for start in range(0, PUBLISHED, 1000):
                sent = [
                    await bare.send(topic, r.value, (r.key or "").encode(), headers=list(r.headers))
                    for r in records[start : start + 1000]
                ]
                await asyncio.gather(*sent)
            return meter.cost(PUBLISHED)

        return await in_turns([with_ours, plainly], ROUNDS)
