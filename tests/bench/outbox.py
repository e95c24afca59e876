"""The benchmark `outbox`: what the inbox and the outbox cost a transaction, against the bare
insert, and how fast the relay is, against one that takes a row at a time."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
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
from tests.bench.aim import times
from tests.bench.cost import Cost, Meter, in_turns
from tests.bench.rows import Row, row

#: Transactions measured, how many at once, and the keys that messages are spread over.
TRANSACTIONS, AT_ONCE, KEYS = 1_000, 16, 500
#: Messages that each relay publishes, and how often everything is measured.
RELAYED, NAIVELY, ROUNDS = 7_000, 500, 3
#: What issue 4 aims at: so many times the naive relay.
AIM = times(10)

TOPIC = "bench.relayed"
_own = MetaData()
_orders = Table("bench_orders", _own, Column("id", String, primary_key=True))


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one database: of a transaction, and of a message."""

    bare: Cost
    kept: Cost
    naive: Cost
    relayed: Cost


async def run(screen: Console) -> list[Row]:
    """Measures, prints the table and returns the rows. Raises ServerError."""
    rows: list[Row] = []
    names = ("bare insert", "with inbox and outbox", "naive relay", "relay")
    table = Shown("", *names, "ratio", title="transactions/s and messages/s, with CPU ms of each")
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
                    costs = (found.bare, found.kept, found.naive, found.relayed)
                    cells = (f"{c.rate:,.0f}/s, {c.cpu * 1000:.2f}" for c in costs)
                    ratio = found.relayed.rate / found.naive.rate
                    table.add_row(kind, *cells, f"{ratio:.1f} (aim {AIM})")
    screen.print(table)
    return rows


def _rows(kind: str, found: Figures) -> list[Row]:
    kept, bare, relayed, naive = found.kept, found.bare, found.relayed, found.naive
    return [
        row(f"outbox/{kind}-transactions", kept.rate, bare.rate, "transactions/s"),
        row(f"outbox/{kind}-transactions-cpu", kept.cpu * 1000, bare.cpu * 1000, "ms/transaction"),
        row(f"outbox/{kind}-relay", relayed.rate, naive.rate, "messages/s", AIM),
        row(f"outbox/{kind}-relay-cpu", relayed.cpu * 1000, naive.cpu * 1000, "ms/message"),
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
    numbers = itertools.count()

    async def bare(n: int) -> None:
        async with database.transaction() as session:
            await session.execute(insert(_orders).values(id=f"bare-{n}"))

    async def kept(n: int) -> None:
        async with database.transaction() as session:
            await inbox.claim(session, "bench", f"m{n}", b"body")
            await session.execute(insert(_orders).values(id=f"kept-{n}"))
            await outbox.add(session, [_message(f"kept-{n}", n)])
            await inbox.record(session, "bench", f"m{n}", {"id": f"m{n}:reply"})

    async def some(once: Callable[[int], Awaitable[None]]) -> Cost:
        async def work() -> None:
            for n in left:
                await once(n)

        left = iter([next(numbers) for _ in range(TRANSACTIONS)])
        meter = Meter()
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return meter.cost(TRANSACTIONS)

    async def naive() -> Cost:
        await _fill(database, f"naive-{next(numbers)}", NAIVELY)
        meter = Meter()
        while await _naive_round(database, bus):
            pass
        return meter.cost(NAIVELY)

    async def relayed() -> Cost:
        await _fill(database, f"relayed-{next(numbers)}", RELAYED)
        meter = Meter()
        await _until_empty(Relay(database, bus))
        return meter.cost(RELAYED)

    transactions = await in_turns([lambda: some(bare), lambda: some(kept)], ROUNDS)
    await _until_empty(Relay(database, bus))
    return Figures(*transactions, *await in_turns([naive, relayed], ROUNDS))


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
