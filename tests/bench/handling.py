"""The benchmark `handling`: what a participant pays for each strategy of idempotency, and for
numbered events, on SQLite and PostgreSQL. The bus is the one in process: it costs next to nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Shown
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, update

from dsl.load import check_texts
from dsl.model import Program, TopicModel
from orchestrator.dev.postgres import PostgresServer
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.envelope import Envelope, ReplyTo, to_record
from orchestrator.messaging.memory import MemoryBus
from orchestrator.messaging.record import Record
from orchestrator.service import Service
from orchestrator.service.runner import ServiceRunner
from tests.bench.cost import Cost, Meter, in_turns
from tests.bench.errors import BenchError
from tests.bench.rows import Row, row

#: Messages of one measurement, the keys that they are spread over, and how often it is done.
MESSAGES, KEYS, ROUNDS = 200, 50, 5
CONCURRENCY = 16

_CONTRACT = """
module bench.contracts

service source {
  publisher: outside
  event Happened key key { key: string  number: int  id: string }
  event Counted key key sequence number { key: string  number: int  id: string }
}

service sink {
  command ByMessage key key { key: string  id: string } replies Done
  command ByKey key key idempotent by key (id) { key: string  id: string } replies Done
  command ByVersion key key idempotent by version version {
    key: string
    version: int
    id: string
  } replies Done fails Rival
  event Done key key { key: string }
  event Rival key key { key: string }
}
"""
_KINDS = ("by-message", "by-key", "by-version", "event", "numbered-event")
_TYPES = dict(
    zip(
        _KINDS,
        ("sink.ByMessage", "sink.ByKey", "sink.ByVersion", "source.Happened", "source.Counted"),
        strict=True,
    )
)
_REPLIES = "bench.replies"

_tables = MetaData()
_effects = Table("bench_effects", _tables, Column("id", String, primary_key=True))
_versions = Table(
    "bench_versions",
    _tables,
    Column("key", String, primary_key=True),
    Column("version", Integer, nullable=False),
)


async def run(screen: Console) -> list[Row]:
    """Measures, prints the table and returns the rows. Raises BenchError, ServerError."""
    table = Shown("", *_KINDS, title="messages/s, and CPU ms of the participant for each")
    rows: list[Row] = []
    for kind in ("sqlite", "postgresql"):
        with screen.status(kind):
            async with _database(kind) as url, MemoryBus() as bus:
                costs = dict(zip(_KINDS, await _measure(bus, url), strict=True))
        cells = (f"{c.rate:,.0f}/s, {c.cpu * 1000:.2f}" for c in costs.values())
        table.add_row(kind, *cells)
        for what, cost in costs.items():
            base = costs["event" if what.endswith("event") else "by-message"]
            against = (None, None) if base is cost else (base.rate, base.cpu * 1000)
            rows.append(row(f"handling/{kind}-{what}", cost.rate, against[0], "messages/s"))
            rows.append(
                row(f"handling/{kind}-{what}-cpu", cost.cpu * 1000, against[1], "ms/message")
            )
    screen.print(table)
    return rows


@asynccontextmanager
async def _database(kind: str) -> AsyncIterator[str]:
    async with AsyncExitStack() as up:
        if kind == "postgresql":
            server = PostgresServer()
            await server.start()
            up.push_async_callback(server.stop)
            yield server.url()
        else:
            folder = tempfile.TemporaryDirectory(prefix="orchestrate-bench-")
            yield f"sqlite:///{Path(up.enter_context(folder), 'bench.db')}"


async def _measure(bus: Bus, url: str) -> list[Cost]:
    sink = _Sink()
    stop = asyncio.Event()
    await bus.create_topics([TopicModel(name=_REPLIES, partitions=1)])
    async with ServiceRunner(sink.service, bus, url, concurrency=CONCURRENCY) as runner:
        task = asyncio.create_task(runner.run(stop))
        sides = [lambda what=what: sink.taken(bus, what, task) for what in _KINDS]
        try:
            return await in_turns(sides, ROUNDS)
        finally:
            stop.set()
            await task


class _Sink:
    """The participant; every handler writes one row."""

    def __init__(self) -> None:
        self._program = _checked()
        self.service = Service("sink", program=self._program, metadata=_tables)
        self._done = 0
        self._more = asyncio.Event()
        self._made = {what: itertools.count() for what in _KINDS}
        done = self.service.messages.Done

        async def write(message: Any, session: Any) -> Any:
            await session.execute(insert(_effects).values(id=message.id))
            self._count()
            return done(key=message.key)

        async def versioned(message: Any, session: Any, version: Any) -> Any:
            if message.version == 0:
                version.expect(0)
                await session.execute(insert(_versions).values(key=message.key, version=1))
            else:
                await version.update(update(_versions).where(_versions.c.key == message.key))
            self._count()
            return done(key=message.key)

        async def react(message: Any, session: Any) -> None:
            await session.execute(insert(_effects).values(id=message.id))
            self._count()

        self.service.handles("ByMessage")(write)
        self.service.handles("ByKey")(write)
        stale = self.service.failures.Rival
        self.service.handles("ByVersion", stale=lambda c, _: stale(key=c.key))(versioned)
        self.service.on("source.Happened")(react)
        self.service.on("source.Counted")(react)

    async def taken(self, bus: Bus, what: str, running: asyncio.Task[None]) -> Cost:
        """Sends messages of one kind, and waits until all are handled."""
        self._done = 0
        records = [self._record(what, next(self._made[what])) for _ in range(MESSAGES)]
        meter = Meter()
        assert await bus.publish_all(records) == {}
        while self._done < MESSAGES:
            self._more.clear()
            more = asyncio.create_task(self._more.wait())
            await asyncio.wait((more, running), return_when=asyncio.FIRST_COMPLETED)
            more.cancel()
            if running.done():
                running.result()
                raise BenchError("the participant ended early")
        return meter.cost(MESSAGES)

    def _count(self) -> None:
        self._done += 1
        if self._done >= MESSAGES:
            self._more.set()

    def _record(self, what: str, number: int) -> Record:
        type, id, key = _TYPES[what], f"{what}:{number}", f"{what}:{number % KEYS}"
        body: dict[str, object] = {"key": key, "id": id}
        if what == "by-version":
            body["version"] = number // KEYS
        if what.endswith("event"):
            body["number"] = number // KEYS + 1
        envelope = Envelope(
            id=id,
            type=type,
            source="/bench",
            time=datetime.now(UTC),
            key=key,
            data=json.dumps(body).encode(),
            reply_to=None if what.endswith("event") else ReplyTo(_REPLIES),
        )
        return to_record(envelope, "source.events" if what.endswith("event") else "sink.commands")


def _checked() -> Program:
    loaded = check_texts({"contracts.flow": _CONTRACT})
    if loaded.program is None:
        raise BenchError(f"the contract has findings: {_messages(loaded.diagnostics)}")
    return loaded.program


def _messages(diagnostics: Sequence[Any]) -> str:
    return "; ".join(d.message for d in diagnostics)
