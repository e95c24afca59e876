"""The benchmark `memory`: what this process holds while many messages go through the per-key
consumer, and through inbox, outbox and relay."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from dsl.model import TopicModel
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.record import Record
from orchestrator.service.relay import Relay
from orchestrator.store import inbox, outbox
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from orchestrator.store.outbox import OutboxMessage
from tests.bench.aim import at_most
from tests.bench.readers import KEYS, VALUE, filled, ours
from tests.bench.rows import Row, row

#: Messages of each part, and those of one transaction of the second.
CONSUMED, RELAYED, AT_ONCE = 1_000_000, 100_000, 250
#: Flat: at most so much above what was held after a tenth, which has warmed everything up.
AIM = at_most(10, "MiB")
_PARTS = (10, 50, 100)  # percent

_TOPIC = "bench.memory"


class Sizes:
    """This process's resident memory in MiB, at each of `_PARTS` of so many messages."""

    def __init__(self, count: int) -> None:
        self._marks = [count * part // 100 for part in _PARTS]
        self._process = psutil.Process()
        self.found: list[float] = []

    def seen(self, number: int) -> None:
        """So many messages are done."""
        while len(self.found) < len(_PARTS) and number >= self._marks[len(self.found)]:
            self.found.append(self._process.memory_info().rss / 2**20)

    @property
    def grown(self) -> float:
        """From the first mark to the largest of the others."""
        return max(0.0, max(self.found[1:]) - self.found[0])


async def run(screen: Console) -> list[Row]:
    """Measures, prints the table and returns the rows. Raises BenchError, ServerError."""
    with tempfile.TemporaryDirectory(prefix="orchestrate-bench-") as name:
        async with DevStack(Path(name), ui=False, require_kafka=True) as stack:
            address = stack.addresses.kafka or ""
            async with KafkaBus(address) as bus:
                with screen.status(f"{CONSUMED:,} records"):
                    consumed = await _consumed(bus, address)
                with screen.status(f"{RELAYED:,} messages through inbox and outbox"):
                    relayed = await _relayed(bus, f"sqlite:///{name}/memory.db")
    table = Table("", *(f"at {part}%" for part in _PARTS), "grown")
    rows = []
    for what, count, sizes in (("consumer", CONSUMED, consumed), ("outbox", RELAYED, relayed)):
        cells = (f"{size:.1f} MiB" for size in sizes.found)
        table.add_row(f"{what}, {count:,} messages", *cells, f"{sizes.grown:.1f} MiB")
        rows.append(row(f"memory/{what}-growth", sizes.grown, None, "MiB", AIM))
        for part, size in zip(_PARTS, sizes.found, strict=True):
            rows.append(row(f"memory/{what}-at-{part}", size, None, "MiB"))
    screen.print(table)
    return rows


async def _consumed(bus: Bus, address: str) -> Sizes:
    topic = await filled(bus, address, CONSUMED)
    sizes, numbers = Sizes(CONSUMED), itertools.count(1)

    async def handle(_: Record) -> None:
        sizes.seen(next(numbers))

    await ours(bus, topic, CONSUMED, handle, concurrency=64)
    return sizes


async def _relayed(bus: Bus, url: str) -> Sizes:
    """Each message is claimed in the inbox, leads to one in the outbox, and is published."""
    await bus.create_topics([TopicModel(name=_TOPIC, partitions=4)])
    sizes, done = Sizes(RELAYED), 0
    async with Database(url) as database:
        await migrate(database.engine, "participant")
        relay = Relay(database, bus, buckets=outbox.BUCKETS)
        for start in range(0, RELAYED, AT_ONCE):
            async with database.transaction() as session:
                for n in range(start, start + AT_ONCE):
                    await inbox.claim(session, "bench", f"m{n}", VALUE)
                    await outbox.add(session, [_message(n)])
                    await inbox.record(session, "bench", f"m{n}", {"id": f"m{n}:reply"})
            while published := await relay.round():
                done += published
            sizes.seen(done)
    return sizes


def _message(n: int) -> OutboxMessage:
    headers = (("ce_id", f"m{n}:event:0"), ("ce_type", "bench.Happened"))
    return OutboxMessage(f"m{n}:event:0", _TOPIC, f"k{n % KEYS}", "bench.Happened", VALUE, headers)
