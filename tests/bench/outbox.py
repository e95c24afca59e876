"""The benchmark `outbox`: what the inbox and the outbox cost a transaction, against the bare
insert, and how fast the relay is, against one that takes a row at a time."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table as Shown
from sqlalchemy import Column, MetaData, String, Table, insert

from dsl.model import TopicModel
from orchestrator.dev.postgres import PostgresServer
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.record import Record
from orchestrator.service.relay import Relay
from orchestrator.store import inbox, outbox
from orchestrator.store.database import Database
from orchestrator.store.migrate import create_missing, migrate
from orchestrator.store.outbox import BUCKETS, OutboxMessage
from tests.bench.rows import Row, row

#: Transactions measured, how many at once, and the keys that messages are spread over.
TRANSACTIONS, AT_ONCE, KEYS = 3_000, 16, 500
#: Messages that each relay publishes.
RELAYED, NAIVELY = 20_000, 1_500
#: What issue 4 aims at: so many times the naive relay.
AIM = 10.0

TOPIC = "bench.relayed"
_own = MetaData()
_orders = Table("bench_orders", _own, Column("id", String, primary_key=True))


@dataclass
class Figures:
    """Of one database, all per second."""

    bare: float = 0
    kept: float = 0
    naive: float = 0
    relayed: float = 0


async def run(screen: Console) -> list[Row]:
    """Measures, prints the table and returns the rows. Raises ServerError."""
    rows: list[Row] = []
    table = Shown("", "bare insert", "with inbox and outbox", "naive relay", "relay", "ratio")
    with tempfile.TemporaryDirectory(prefix="orchestrate-bench-") as name:
        async with AsyncExitStack() as up:
            with screen.status("starting servers") as status:
                stack = await up.enter_async_context(
                    DevStack(Path(name), ui=False, require_kafka=True)
                )
                bus = await up.enter_async_context(KafkaBus(stack.addresses.kafka or ""))
                await bus.create_topics([TopicModel(name=TOPIC, partitions=8)])
                for kind in ("sqlite", "postgresql"):
                    status.update(kind)
                    async with _database(kind, Path(name)) as database:
                        found = await _measure(database, bus)
                    rows += _rows(kind, found)
                    table.add_row(
                        kind,
                        *(f"{n:,.0f}/s" for n in (found.bare, found.kept, found.naive)),
                        f"{found.relayed:,.0f}/s",
                        f"{found.relayed / found.naive:.1f} (aim {AIM:g})",
                    )
    screen.print(table)
    return rows


def _rows(kind: str, found: Figures) -> list[Row]:
    return [
        row(f"outbox/{kind}-transactions", found.kept, found.bare, "transactions/s"),
        row(f"outbox/{kind}-relay", found.relayed, found.naive, "messages/s"),
    ]


@asynccontextmanager
async def _database(kind: str, folder: Path) -> AsyncIterator[Database]:
    async with AsyncExitStack() as up:
        if kind == "postgresql":
            server = PostgresServer()
            await server.start()
            up.push_async_callback(server.stop)
            url = server.url()
        else:
            url = f"sqlite:///{folder}/bench.db"
        database = await up.enter_async_context(Database(url))
        await migrate(database.engine, "participant")
        await create_missing(database.engine, _own)
        yield database


async def _measure(database: Database, bus: Bus) -> Figures:
    found = Figures()

    async def bare(n: int) -> None:
        async with database.transaction() as session:
            await session.execute(insert(_orders).values(id=f"bare-{n}"))

    async def kept(n: int) -> None:
        async with database.transaction() as session:
            await inbox.claim(session, "bench", f"m{n}", b"body")
            await session.execute(insert(_orders).values(id=f"kept-{n}"))
            await outbox.add(session, [_message(f"kept-{n}", n)])
            await inbox.record(session, "bench", f"m{n}", {"id": f"m{n}:reply"})

    for turn in range(3):  # in turns, so that a slower moment of the machine is nobody's
        span = range(turn * TRANSACTIONS // 3, (turn + 1) * TRANSACTIONS // 3)
        found.bare += await _rate(bare, span) / 3
        found.kept += await _rate(kept, span) / 3
    await _until_empty(Relay(database, bus))
    await _fill(database, "naive", NAIVELY)
    begun = time.perf_counter()
    while await _naive_round(database, bus):
        pass
    found.naive = NAIVELY / (time.perf_counter() - begun)
    await _fill(database, "relayed", RELAYED)
    begun = time.perf_counter()
    await _until_empty(Relay(database, bus))
    found.relayed = RELAYED / (time.perf_counter() - begun)
    return found


async def _rate(once: Callable[[int], Awaitable[None]], span: range) -> float:
    """How often per second, `AT_ONCE` side by side."""
    left = iter(span)

    async def some() -> None:
        for n in left:
            await once(n)

    begun = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return len(span) / (time.perf_counter() - begun)


async def _fill(database: Database, prefix: str, count: int) -> None:
    for start in range(0, count, 1000):
        batch = [_message(f"{prefix}-{n}", n) for n in range(start, min(start + 1000, count))]
        async with database.transaction() as session:
            await outbox.add(session, batch)


async def _until_empty(relay: Relay) -> None:
    while await relay.round():
        pass


async def _naive_round(database: Database, bus: Bus) -> bool:
    """The oldest row: read, published, marked; False without one."""
    async with database.transaction() as session:
        batch = await outbox.pending(session, range(BUCKETS), 1)
        for each in batch:
            message = each.message
            await bus.publish(Record(message.topic, message.key, message.payload))
        await outbox.published(session, batch)
    return bool(batch)


def _message(id: str, n: int) -> OutboxMessage:
    headers = (("ce_id", id), ("ce_type", "bench.Happened"), ("correlationid", f"Saga/{n}"))
    return OutboxMessage(id, TOPIC, f"k{n % KEYS}", "bench.Happened", b"x" * 200, headers)
