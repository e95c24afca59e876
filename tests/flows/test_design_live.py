"""The design's flows, deployed and run on real Temporal, Kafka and PostgreSQL: Avro, Protobuf and
JSON services, a Python function, signals, queries, events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest_asyncio
from sqlalchemy import select
from temporalio.client import Client

from dsl.load import load
from orchestrator.cli.deploy import describe
from orchestrator.deploy.deploy import Deployed, deploy
from orchestrator.messaging.bus import Bus, Reader
from orchestrator.messaging.envelope import Envelope, from_record, to_record
from orchestrator.runtime.instances import Instances, UnknownInstanceError
from orchestrator.runtime.running import Running, find_running
from orchestrator.runtime.worker import SagaWorker
from orchestrator.service.runner import ServiceRunner
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.flows.design import services
from tests.flows.test_design import DESIGN
from tests.runtime.eventually import eventually

JSON = "application/json"


@dataclass
class Shop:
    """The deployed flows, and what came on their topics."""

    client: Client
    bus: Bus
    database: Database
    deployed: list[Deployed]
    seen: list[Envelope] = field(default_factory=list)

    async def submit(self, *lines: tuple[str, int, str], customer: str, note: str = "") -> str:
        """Publishes the event that an order begins with; its id."""
        order = str(uuid4())
        fields = [{"sku": s, "quantity": n, "price": p} for s, n, p in lines]
        data = {"order_id": order, "customer_id": customer, "lines": fields}
        data |= {"note": note} if note else {}
        await self.event("orders.OrderSubmitted", order, order=data)
        return order

    async def event(self, type: str, key: str, /, **fields: Any) -> None:
        """Publishes an event of a service that writes JSON."""
        envelope = Envelope(
            id=str(uuid4()),
            type=type,
            source="/test",
            time=datetime.now(UTC),
            key=key,
            data=json.dumps({"order_id": key, **fields}).encode(),
        )
        await self.bus.publish(to_record(envelope, f"{type.partition('.')[0]}.events"))

    async def saga(self, order: str) -> Running:
        """An order's saga, once it is there."""

        async def find() -> Running | None:
            async with self.database.reading() as session:
                try:
                    return await find_running(self.client, session, f"PlaceOrder/{order}")
                except UnknownInstanceError:
                    return None

        found: Running = await eventually(find, "the saga is started")
        return found

    async def progress(self, order: str, wanted: str) -> None:
        """Waits until the saga's query answers so."""
        saga = await self.saga(order)

        async def told() -> bool:
            return bool(await saga.query("state") == wanted)

        await eventually(told, f"it is {wanted}")

    async def end(self, order: str) -> Any:
        """How its saga ends."""
        await self.saga(order)
        async with asyncio.timeout(60):
            return await Instances(self.client).outcome(f"PlaceOrder/{order}")

    def of(self, order: str) -> list[tuple[str, str]]:
        """The wire types and content types of the messages of an order, each once, in order."""
        found = [(e.type, e.content_type) for e in self.seen if e.key == order]
        return list(dict.fromkeys(found))

    async def book(self, table: Any, order: str) -> Any:
        """An order's row in a service's book, or None."""
        async with self.database.reading() as session:
            query = select(table).where(table.c.order_id == order)
            return (await session.execute(query)).mappings().one_or_none()


async def hear(shop: Shop, reader: Reader, stop: asyncio.Event) -> None:
    """Keeps what comes."""
    while not stop.is_set():
        shop.seen += [from_record(r) for r in await reader.poll(100, 0.1)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(
    client: Client, kafka_bus: Bus, new_postgres_database: Callable[[], Awaitable[str]]
) -> AsyncIterator[Shop]:
    """The flows deployed, a worker, and all services."""
    url, stop = await new_postgres_database(), asyncio.Event()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        database = await stack.enter_async_context(Database(url))
        await migrate(database.engine)
        deployed = await deploy(load([DESIGN]), client, kafka_bus, database)
        made = Shop(client, kafka_bus, database, deployed)
        worker = SagaWorker(client, kafka_bus, database)
        tasks.create_task(worker.run(stop))
        for service in (services.inventory, services.payments, services.shipping):
            runner = ServiceRunner(service, kafka_bus, url)
            tasks.create_task((await stack.enter_async_context(runner)).run(stop))
        names = ("inventory", "payments", "shipping")
        topics = [f"{n}.{kind}" for n in names for kind in ("commands", "events")]
        reader = await kafka_bus.tap([*topics, "orders.events"])
        stack.push_async_callback(reader.close)
        tasks.create_task(hear(made, reader, stop))
        await eventually(worker.ready.is_set, "the worker is ready")
        yield made
        stop.set()


def test_deploying_says_what_nothing_runs_yet(shop: Shop) -> None:
    """In one line, and deploys the rest."""
    assert [d.sagas for d in shop.deployed] == [(), ("PlaceOrder",)]
    assert describe(shop.deployed)[-1] == (
        "checked, but run by nothing yet: aggregate `OrderState`, projection `Customers`"
    )


async def test_an_order_is_placed(shop: Shop) -> None:
    """From the event to the delivery; the discount is the function's, and exact."""
    order = await shop.submit(("book", 2, "10.05"), ("pen", 1, "0.90"), customer="regular-1")
    await eventually(lambda: ("orders.OrderPlaced", JSON) in shop.of(order), "it is placed")
    await shop.progress(order, "paid")
    await shop.event("shipping.Delivered", order, at="2026-01-02T03:04:05Z")
    outcome = await shop.end(order)
    assert Decimal(outcome.result) == Decimal("18.90")
    await shop.progress(order, "delivered")
    assert (await shop.book(services.charges, order))["amount"] == Decimal("18.90")
    assert (await shop.book(services.reservations, order))["status"] == "reserved"
    assert [m for m in shop.of(order) if m[0].startswith(("inventory", "payments"))] == [
        ("inventory.ReserveStock", "application/avro"),
        ("payments.ChargeCard", "application/protobuf"),
    ]
    assert [e.type for e in shop.seen if e.key == order].count("shipping.Label") == 2


async def test_a_large_order_is_approved_settled_and_lost(shop: Shop) -> None:
    """The customer's own approval does not count; the settlement came before it was asked for."""
    order = await shop.submit(("desk", 3, "500"), customer="c2")
    await shop.progress(order, "reserved")
    saga = await shop.saga(order)
    await saga.signal("Approve", {"by": "c2", "granted": False})
    await saga.signal("Approve", {"by": "boss", "granted": True})
    await eventually(lambda: ("orders.OrderPlaced", JSON) in shop.of(order), "it is placed")
    assert ("payments.PaymentSettled", "application/protobuf") in shop.of(order)
    await shop.event("shipping.Lost", order, place="Graz")
    assert Decimal((await shop.end(order)).result) == 1500
    await shop.progress(order, "lost in Graz")


async def test_a_declined_card_releases_the_stock(shop: Shop) -> None:
    """The pivot fails, so what was done is undone; nothing is placed."""
    order = await shop.submit(("desk", 1, "5000.01"), customer="c3", note="approved by phone")
    outcome = await shop.end(order)
    assert outcome.reason == 'payments.ChargeCard failed: CardDeclined(reason: "limit")'
    assert (await shop.book(services.reservations, order))["status"] == "released"
    assert [type for type, _ in shop.of(order)] == [
        "orders.OrderSubmitted",
        "inventory.ReserveStock",
        "payments.ChargeCard",
        "inventory.ReleaseStock",
    ]


async def test_a_refused_order_releases_the_stock(shop: Shop) -> None:
    """A `fail` between steps undoes what is done."""
    order = await shop.submit(("desk", 1, "1000.01"), customer="c4")
    await (await shop.saga(order)).signal("Approve", {"by": "boss", "granted": False})
    assert (await shop.end(order)).reason == "refused by boss"
    assert (await shop.book(services.reservations, order))["status"] == "released"
    assert await shop.book(services.charges, order) is None


async def test_what_is_out_of_stock_is_rejected(shop: Shop) -> None:
    """The step's handler publishes that and fails; there is nothing to undo."""
    order = await shop.submit(("unicorn", 1, "1"), customer="c5")
    assert (await shop.end(order)).reason == "out of stock: unicorn"
    await eventually(lambda: ("orders.OrderRejected", JSON) in shop.of(order), "it is rejected")
    assert await shop.book(services.reservations, order) is None
