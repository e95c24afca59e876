"""A contract, a running participant, and somebody who sends it commands."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Column, Integer, MetaData, String, Table, select

from dsl.load import check_texts
from dsl.model import Program, TopicModel
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus, Reader
from orchestrator.messaging.envelope import Envelope, ReplyTo, from_record, to_record
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.memory import MemoryBus
from orchestrator.messaging.record import Record
from orchestrator.service import Service
from orchestrator.service.runner import ServiceRunner
from orchestrator.store.database import Database

_numbers = itertools.count()

CONTRACT = """
module shop.contracts

type Money = decimal

enum Currency { EUR USD GBP }

/// One line of an order.
record Line {
  sku: string
  quantity: int where quantity > 0
  price: Money
}

policy quick { timeout: 1s  retry: fixed(attempts: 3, every: 50ms)  order: ordered }

service orders {
  events: topic("ORDERS", partitions: 3)
  event OrderPlaced key order_id { order_id: uuid  sku: string }
  event StockLow key order_id { order_id: uuid }
  event Changed key order_id sequence n { order_id: uuid  n: int }
  event Looked key order_id delivery at_most_once { order_id: uuid  sku: string }
  event Settled key order_id delivery exactly_once { order_id: uuid  sku: string }
}

service inventory {
  policy: quick
  commands: topic("COMMANDS", partitions: 3)
  events: topic("EVENTS", partitions: 3)

  command ReserveStock key order_id {
    order_id: uuid
    lines: list<Line>
    currency: Currency = EUR
    note: string?
    due: timestamp?
  } replies StockReserved fails OutOfStock

  command ReleaseStock key order_id { order_id: uuid } replies StockReleased

  command Restock key order_id idempotent by key (delivery, weight) {
    order_id: uuid
    sku: string
    delivery: string
    weight: decimal?
    quantity: int
  } replies Restocked fails Refused

  command Count key order_id idempotent by version version {
    order_id: uuid
    sku: string
    version: int
    on_hand: int
  } replies Counted fails Refused

  command Ring key order_id delivery at_most_once { order_id: uuid } replies Rung fails Refused
  command Settle key order_id delivery exactly_once idempotent by message {
    order_id: uuid
  } replies Rung

  event Rung key order_id { order_id: uuid }
  event Restocked key order_id { order_id: uuid  receipt: string }
  event Counted key order_id { order_id: uuid  version: int }
  event Refused key order_id { order_id: uuid  reason: string }

  event StockReserved key order_id { order_id: uuid  reservation_id: string }
  event StockReleased key order_id { order_id: uuid }
  event OutOfStock key order_id { order_id: uuid  sku: string }
  event StockLow key order_id { order_id: uuid  sku: string  left: int }
  event Noticed key order_id delivery at_most_once { order_id: uuid  sku: string }
}
"""


def check(
    commands: str = "inventory.commands",
    events: str = "inventory.events",
    orders: str = "orders.events",
    pause: str = "50ms",
    order: str = "ordered",
) -> Program:
    """The checked contract, on topics of these names; `pause` is what an event waits when its
    handler has failed, `order` what becomes of those behind it."""
    text = CONTRACT.replace("COMMANDS", commands).replace("EVENTS", events)
    text = text.replace("ORDERS", orders).replace("50ms", pause)
    text = text.replace("order: ordered", f"order: {order}")
    loaded = check_texts({"contracts.flow": text})
    assert loaded.program is not None, loaded.diagnostics
    return loaded.program


tables = MetaData()
reservations = Table("reservations", tables, Column("id", String, primary_key=True))
shelves = Table(
    "shelves",
    tables,
    Column("sku", String, primary_key=True),
    Column("on_hand", Integer, nullable=False),
    Column("version", Integer, nullable=False),
)

ORDER = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


def body(**changes: Any) -> dict[str, Any]:
    """A ReserveStock command as JSON."""
    line = {"sku": "a", "quantity": 2, "price": "1.50"}
    return {"order_id": ORDER, "lines": [line], **changes}


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Waits for a condition, for at most 30 seconds."""
    async with asyncio.timeout(30):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.02)


class Shop:
    """A participant under test and its counterpart."""

    def __init__(self, bus: Bus, url: str, number: int, replies: str) -> None:
        self.bus, self.url, self.replies = bus, url, replies
        self.commands = f"inventory-{number}.commands"
        self.events = f"inventory-{number}.events"
        self.orders = f"orders-{number}.events"
        self.service = self.make()
        self.tap: Reader
        self.tasks: list[tuple[asyncio.Event, asyncio.Task[None]]] = []

    @property
    def topics(self) -> list[TopicModel]:
        """Those that it needs before anybody runs."""
        names = (self.commands, self.events, self.replies)
        return [TopicModel(name=name, partitions=3) for name in names]

    def make(self, name: str = "inventory", pause: str = "50ms", order: str = "ordered") -> Service:
        """A service of the contract, without handlers."""
        program = check(self.commands, self.events, self.orders, pause, order)
        return Service(name, program=program, metadata=tables)

    async def start(self) -> None:
        """Starts the participant; returns when it has its tables and topics."""
        runner = ServiceRunner(self.service, self.bus, self.url, concurrency=4)
        stop = asyncio.Event()
        stack = AsyncExitStack()
        await stack.enter_async_context(runner)

        async def run() -> None:
            async with stack:
                await runner.run(stop)

        self.tasks.append((stop, asyncio.create_task(run())))
        topics = [self.replies, self.events]
        if self.service.handlers:
            topics.append(f"{self.commands}.inventory-dlt")
        if self.service.reactions:
            topics.append(f"{self.orders}.inventory-events-dlt")
        self.tap = await self.bus.tap(topics)

    async def stop(self) -> None:
        """Stops what runs; a failure of the participant is one of the test."""
        for stop, task in self.tasks:
            stop.set()
            await task
        self.tasks.clear()

    def command(self, id: str = "cmd-1", **changes: Any) -> Envelope:
        """A ReserveStock envelope; `data` as JSON, other fields of the envelope by name."""
        data = changes.pop("data", body())
        made = Envelope(
            id=id,
            type="inventory.ReserveStock",
            source="/sagas/PlaceOrder",
            time=datetime.now(UTC),
            key=ORDER,
            data=data if isinstance(data, bytes) else json.dumps(data).encode(),
            correlation_id="PlaceOrder/1",
            reply_to=ReplyTo(self.replies, 1),
            traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01",
        )
        return replace(made, **changes)

    async def send(self, envelope: Envelope) -> None:
        """Publishes a command."""
        await self.bus.publish(to_record(envelope, self.commands))

    async def tell(self, id: str = "ev-1", key: str = ORDER, **changes: Any) -> None:
        """Publishes an OrderPlaced event, or another one by its type."""
        data = changes.pop("data", {"order_id": ORDER, "sku": id})
        changes = {"type": "orders.OrderPlaced", **changes}
        made = self.command(id, key=key, data=data, reply_to=None, **changes)
        await self.bus.publish(to_record(made, self.orders))

    async def next(self, count: int = 1) -> list[Record]:
        """The next records on the replies', events' and dead letters' topics."""
        found: list[Record] = []
        while len(found) < count:
            records = await self.tap.poll(10, 10.0)
            assert records, f"only {len(found)} of {count} records came"
            found += records
        return found

    async def reply(self) -> Envelope:
        """The next record, which has to be a reply."""
        [record] = await self.next()
        assert record.topic == self.replies, record
        return from_record(record)

    async def reserved(self) -> list[str]:
        """What the participant's own table holds."""
        async with Database(self.url) as database, database.reading() as session:
            return sorted((await session.execute(select(reservations.c.id))).scalars())


@pytest.fixture(params=["in process", "servers"])
def world(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[], Awaitable[tuple[Bus, str]]]:
    """In-process bus with SQLite, or Kafka with PostgreSQL."""
    if request.param == "in process":

        async def small() -> tuple[Bus, str]:
            return MemoryBus(), f"sqlite:///{tmp_path / 'inventory.db'}"

        return small
    stack: DevStack = request.getfixturevalue("stack")
    new_database = request.getfixturevalue("new_postgres_database")

    async def real() -> tuple[Bus, str]:
        return KafkaBus(stack.addresses.kafka or ""), await new_database()

    return real


@pytest_asyncio.fixture
async def shop(world: Callable[[], Awaitable[tuple[Bus, str]]]) -> AsyncIterator[Shop]:
    """A participant that is not started yet: register handlers, then `await shop.start()`."""
    opened, url = await world()
    number = next(_numbers)
    replies = f"replies-{number}"
    async with opened as bus:
        await bus.create_topics([TopicModel(name=replies, partitions=2)])
        made = Shop(bus, url, number, replies)
        yield made
        await made.stop()
