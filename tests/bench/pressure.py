"""The benchmark `pressure`: what a dependency that is away costs with a breaker and without, and a
consumer that is too slow for its producer."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import tempfile
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import structlog
from rich.console import Console
from rich.table import Table

from dsl.load import check_texts
from dsl.model import TopicModel
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.consumer import KeyedConsumer
from orchestrator.messaging.envelope import Envelope, to_record
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.record import Record
from orchestrator.service import Service
from orchestrator.service.runner import ServiceRunner
from tests.bench.aim import at_most
from tests.bench.errors import BenchError
from tests.bench.rows import Row, row

#: Seconds for which the dependency is away, and events in each of them.
AWAY, EVENTS = 30.0, 10
#: Messages that the slow consumer is sent, their size in bytes, how fast it is in messages/s, how
#: many bytes it may hold, and how many times faster the producer is.
SENT, SIZE, SLOW, HELD, FASTER = 6_000, 20_000, 150, 16 * 2**20, 10

FLOW = """
module bench.NAME

policy guarded {
  timeout: 1s
  retry: exponential(attempts: 5, initial: 500ms, factor: 2, max: 10s)
  BREAKER
}

service NAMEshop { publisher: outside  event NAMEPaid key id { id: string } }
service NAMEbooks { policy: guarded  event NAMEBooked key id { id: string } }
"""
BREAKER = "circuit_breaker: breaker(failures: 10, within: 30s, open_for: 2s)"

_numbers = itertools.count()


@dataclass(frozen=True)
class Outage:
    """Attempts that failed, dead letters, and seconds from the dependency's return to the end."""

    attempts: int
    letters: int
    recovery: float


async def run(screen: Console) -> list[Row]:
    """Measures, prints the tables and returns the rows. Raises BenchError, ServerError."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory(prefix="orchestrate-bench-") as name:
        stack = DevStack(Path(name), ui=False, require_kafka=True)
        async with stack, KafkaBus(stack.addresses.kafka or "") as bus:
            with screen.status("a dependency that is away, with a breaker and without"):
                guarded, plain = await asyncio.gather(
                    _outage(bus, Path(name), BREAKER), _outage(bus, Path(name), "")
                )
            with screen.status("a consumer that is too slow"):
                grown, recovery = await _slow(bus)
    table = Table("", "no breaker", "breaker")
    for what in ("attempts", "letters", "recovery"):
        table.add_row(what, *(f"{getattr(each, what):,.0f}" for each in (plain, guarded)))
    screen.print(f"away for {AWAY:g} s, {EVENTS} events/s", table)
    screen.print(
        f"{SENT:,} messages of {SIZE:,} bytes for a consumer {FASTER} times too slow: memory grew"
        f" by {grown:.0f} MiB, nothing lost, all done {recovery:.0f} s after the load fell"
    )
    return [
        row("pressure/attempts", guarded.attempts, plain.attempts, "attempts"),
        row(
            "pressure/dead-letters",
            guarded.letters,
            plain.letters,
            "letters",
            at_most(0, "letters"),
        ),
        row("pressure/recovery", guarded.recovery, plain.recovery, "s"),
        row("pressure/slow-consumer-memory", grown, None, "MiB", at_most(64, "MiB")),
        row("pressure/slow-consumer-recovery", recovery, None, "s"),
    ]


async def _outage(bus: Bus, folder: Path, breaker: str) -> Outage:
    """Events of different keys for a service whose dependency is away, and comes back."""
    name = f"p{next(_numbers)}"
    text = FLOW.replace("NAME", name).replace("BREAKER", breaker)
    program = check_texts({"bench.flow": text}).program
    assert program is not None
    service, topic = Service(f"{name}books", program=program), f"{name}shop.events"
    away, failed, done, total = True, 0, 0, int(AWAY * EVENTS)

    @service.on(f"{name}shop.{name}Paid")
    async def paid(event: Any) -> None:
        nonlocal failed, done
        if away:
            failed += 1
            raise ConnectionError
        done += 1

    stop, letters = asyncio.Event(), 0
    async with ServiceRunner(service, bus, f"sqlite:///{folder}/{name}.db") as runner:
        tap = await bus.tap([f"{topic}.{name}books-events-dlt"])
        task = asyncio.create_task(runner.run(stop))
        for _ in range(total):
            await bus.publish(_event(name, topic))
            await asyncio.sleep(1 / EVENTS)
        away, back = False, time.perf_counter()
        while done + letters < total:
            letters += len(await tap.poll(500, 0.1))
            if time.perf_counter() - back > 120:
                raise BenchError(f"{done} done and {letters} dead letters of {total}")
        recovery = time.perf_counter() - back
        stop.set()
        await task
        await tap.close()
    return Outage(failed, letters, recovery)


def _event(name: str, topic: str) -> Record:
    id = str(uuid.uuid4())
    data = json.dumps({"id": id}).encode()
    type, now = f"{name}shop.{name}Paid", datetime.now(UTC)
    return to_record(
        Envelope(id=id, type=type, source="/bench", time=now, key=id, data=data), topic
    )


def _memory() -> float:
    """MiB of this process."""
    return float(psutil.Process().memory_info().rss / 2**20)


async def _slow(bus: Bus) -> tuple[float, float]:
    """MiB that the process grew by, and seconds from the last message to the last handler."""
    topic, seen, stop = f"slow-{next(_numbers)}", set[str | None](), asyncio.Event()
    await bus.create_topics([TopicModel(name=topic, partitions=4)])
    limit = asyncio.Semaphore(1)

    async def handle(record: Record) -> None:
        async with limit:
            await asyncio.sleep(1 / SLOW)
        seen.add(record.key)
        if len(seen) == SENT:
            stop.set()

    reader = await bus.reader([topic], f"{topic}-readers")
    consumer = KeyedConsumer(reader, handle, max_bytes=HELD)
    task = asyncio.create_task(consumer.run(stop))
    before, most = _memory(), 0.0
    for number in range(SENT):
        await bus.publish(Record(topic, str(number), bytes(SIZE)))
        if number % (SLOW * FASTER // 10) == 0:
            await asyncio.sleep(0.05)
            most = max(most, _memory())
    fell = time.perf_counter()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SENT / SLOW * 3):
            await stop.wait()
    most = max(most, _memory())
    if not stop.is_set():
        raise BenchError(f"{len(seen)} of {SENT} messages came")
    await task
    return most - before, time.perf_counter() - fell
