"""The order saga with a participant in Node.js: `flows/orders/node` is the warehouse, written by
what `docs/guides/other-languages.md` says."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text
from temporalio.client import Client

from dsl.load import Loaded, load
from dsl.model import TopicModel
from orchestrator.cli.participants import read_services
from orchestrator.compile.compile import compile_module
from orchestrator.deploy.deploy import deploy
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus, Reader
from orchestrator.messaging.envelope import Envelope, ReplyTo, from_record, to_record
from orchestrator.messaging.record import Record
from orchestrator.runtime.instances import Instances, Outcome
from orchestrator.runtime.replies import TOPIC as REPLIES
from orchestrator.runtime.starts import read_parameters, start_saga
from orchestrator.runtime.versions import Served
from orchestrator.runtime.worker import SagaWorker
from orchestrator.service.runner import ServiceRunner
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.runtime.eventually import eventually

ORDERS = Path(__file__).parents[2] / "flows" / "orders"
NODE = shutil.which("node")
INSTALLED = NODE is not None and (ORDERS / "node" / "node_modules" / "pg").is_dir()

pytestmark = pytest.mark.skipif(
    not INSTALLED and not os.environ.get("CI"),
    reason="needs Node.js and the packages of flows/orders/node/package.json",
)

COMMANDS = "nodeshop.inventory.commands"
LETTERS = f"{COMMANDS}.inventory-dlt"
LINES = [{"sku": "chair", "quantity": 2, "price": "12.50"}]


def own_flows(folder: Path) -> Loaded:
    """The order saga and its services in a folder, under names that no other test has."""
    for path in ORDERS.glob("*.flow"):
        flow = re.sub(r"^(module|from) shop\.", r"\1 nodeshop.", path.read_text(), flags=re.M)
        topics = "".join(
            rf'\n  {kind}: topic("nodeshop.\1.{kind}", partitions: 3)'
            for kind in ("commands", "events")
        )
        flow = re.sub(r"^service (\w+) \{", rf"service \1 {{{topics}", flow, flags=re.M)
        (folder / path.name).write_text(flow)
    shutil.copy(ORDERS / "services.py", folder)
    return load([folder])


def said(log: Path) -> str:
    """What the warehouse has written to its log."""
    return log.read_text()


@asynccontextmanager
async def warehouse(
    kafka: str, database: str, log: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The participant in Node.js while it serves."""
    assert NODE, "Node.js is not there"
    env = {**os.environ, "KAFKA": kafka, "DATABASE_URL": database, "COMMANDS": COMMANDS}
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            NODE, "inventory.js", cwd=ORDERS / "node", env=env, stdout=out, stderr=out
        )

    def serves() -> bool:
        assert process.returncode is None, said(log)
        return "inventory serves" in said(log)

    try:
        await eventually(serves, "the warehouse serves", limit=60)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            async with asyncio.timeout(60):
                status = await process.wait()
            assert status == 0, said(log)


@dataclass
class Shop:
    """The saga, its services, and what the warehouse says and writes down."""

    client: Client
    bus: Bus
    served: Served
    kafka: str
    url: str
    folder: Path
    up: AsyncExitStack
    tap: Reader = field(init=False)
    warehouse: asyncio.subprocess.Process = field(init=False)

    async def start(self) -> None:
        """Starts the warehouse."""
        log = self.folder / f"warehouse-{uuid4()}.log"
        running = warehouse(self.kafka, self.url, log)
        self.warehouse = await self.up.enter_async_context(running)

    async def place(self, card: str = "4000-0000", sku: str = "chair") -> tuple[str, Outcome]:
        """An order's id, and how its saga ended."""
        order = str(uuid4())
        fields = {"order_id": order, "customer_id": "c", "card": card, "address": "1 Main Street"}
        lines = [{**LINES[0], "sku": sku}]
        saga = self.served.plan.sagas["nodeshop.orders.PlaceOrder"]
        given = read_parameters(saga, {"order": {**fields, "lines": lines}}, self.served.codec)
        await start_saga(self.client, self.served, saga, given)
        async with asyncio.timeout(90):
            return order, await Instances(self.client).outcome(f"PlaceOrder/{order}")

    async def book(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """What the warehouse has written down."""
        async with Database(self.url) as database, database.reading() as session:
            return [dict(r) for r in (await session.execute(text(query), values)).mappings()]

    async def reserved(self, order: str) -> list[dict[str, Any]]:
        """An order's goods."""
        query = "SELECT sku, quantity, status FROM reservations WHERE order_id = :order"
        return await self.book(query, order=order)

    async def send(self, envelope: Envelope) -> None:
        """Sends the warehouse a command."""
        await self.bus.publish(to_record(envelope, COMMANDS))

    async def hear(self, holds: Callable[[Record], bool]) -> Record:
        """The next record of the warehouse that is meant."""
        async with asyncio.timeout(60):
            while True:
                for record in await self.tap.poll(1, 1.0):
                    if holds(record):
                        return record

    async def answer(self, command: str, topic: str = "nodeshop.asked") -> Record:
        """The next answer to a command."""
        return await self.hear(
            lambda r: r.topic == topic and r.header("causationid") == command.encode()
        )


def command(order: str, id: str, body: bytes | None = None) -> Envelope:
    """A command that no saga sends."""
    data = {"order_id": order, "lines": LINES}
    return Envelope(
        id=id,
        type="inventory.ReserveStock",
        source="/test",
        time=datetime.now(UTC),
        key=order,
        data=json.dumps(data).encode() if body is None else body,
        correlation_id="test/1",
        reply_to=ReplyTo("nodeshop.asked", 1),
        traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01",
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(
    client: Client,
    stack: DevStack,
    kafka_bus: Bus,
    new_postgres_database: Callable[[], Awaitable[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Shop]:
    """The flow deployed, a worker, the services in Python but for the warehouse."""
    folder, kafka = tmp_path_factory.mktemp("nodeshop"), stack.addresses.kafka or ""
    url, books, stop = await new_postgres_database(), await new_postgres_database(), asyncio.Event()
    loaded = own_flows(folder)
    assert loaded.program, loaded.diagnostics
    async with AsyncExitStack() as up, asyncio.TaskGroup() as tasks:
        database = await up.enter_async_context(Database(url))
        await migrate(database.engine)
        await deploy(loaded, client, kafka_bus, database)
        await kafka_bus.create_topics([TopicModel(name="nodeshop.asked", partitions=3)])
        worker = SagaWorker(client, kafka_bus, database)
        tasks.create_task(worker.run(stop))
        for name, service in read_services(folder / "services.py").items():
            if name != "inventory":
                runner = await up.enter_async_context(ServiceRunner(service, kafka_bus, url))
                tasks.create_task(runner.run(stop))
        served = Served(compile_module(loaded.program, "nodeshop.orders"), "")
        made = Shop(client, kafka_bus, served, kafka, books, folder, up)
        await made.start()
        await eventually(worker.ready.is_set, "the worker is ready")
        made.tap = await kafka_bus.tap([REPLIES.name, "nodeshop.asked", LETTERS])
        up.push_async_callback(made.tap.close)
        yield made
        stop.set()


async def test_an_order_is_placed(shop: Shop) -> None:
    """The warehouse's answer is one as any other: its headers are those of the guide."""
    order, outcome = await shop.place()
    assert outcome.status == "completed", outcome
    assert outcome.result["total"] == "25.00"
    assert await shop.reserved(order) == [{"sku": "chair", "quantity": 2, "status": "reserved"}]
    asked = f"PlaceOrder/{order}#stock"
    answer = from_record(await shop.answer(asked, REPLIES.name))
    assert (answer.id, answer.type) == (f"{asked}:reply", "inventory.StockReserved")
    assert (answer.source, answer.key) == ("/services/inventory", order)
    assert (answer.correlation_id, answer.reply_to) == (f"PlaceOrder/{order}", None)


async def test_a_declined_card_gives_the_goods_back(shop: Shop) -> None:
    """The saga undoes what the warehouse did."""
    before = await shop.book("SELECT on_hand FROM stock WHERE sku = 'sofa'")
    order, outcome = await shop.place(card="declined-1", sku="sofa")
    assert outcome.reason == 'payments.ChargeCard failed: CardDeclined(reason: "limit reached")'
    assert await shop.reserved(order) == [{"sku": "sofa", "quantity": 2, "status": "released"}]
    assert before == []
    assert await shop.book("SELECT on_hand FROM stock WHERE sku = 'sofa'") == [{"on_hand": 100_000}]


async def test_a_declared_failure_ends_the_saga(shop: Shop) -> None:
    """And leaves nothing of what the handler wrote."""
    order, outcome = await shop.place(sku="unicorn")
    assert outcome.reason == "out of stock: unicorn"
    assert await shop.reserved(order) == []
    assert await shop.book("SELECT * FROM stock WHERE sku = 'unicorn'") == []


async def test_a_known_command_is_answered_from_its_record(shop: Shop) -> None:
    """Also by a warehouse that was started again; the answer goes to who asks now."""
    order, id = str(uuid4()), f"twice-{uuid4()}"
    await shop.send(command(order, id))
    first = await shop.answer(id)
    shop.warehouse.terminate()
    assert await shop.warehouse.wait() == 0
    await shop.start()
    await shop.send(replace(command(order, id), reply_to=ReplyTo("nodeshop.asked", 2)))
    second = await shop.answer(id)
    assert (first.partition, second.partition) == (1, 2)
    assert (second.key, second.value, second.headers) == (first.key, first.value, first.headers)
    assert from_record(second).traceparent == command(order, id).traceparent
    assert await shop.reserved(order) == [{"sku": "chair", "quantity": 2, "status": "reserved"}]


async def test_a_command_that_comes_after_its_undo_does_nothing(shop: Shop) -> None:
    """The undo is answered, the command is not, and the goods stay where they are."""
    order, id = str(uuid4()), f"late-{uuid4()}"
    back = json.dumps({"order_id": order, "reservation_id": "r1"}).encode()
    undo = replace(command(order, f"{id}:undo", back), type="inventory.ReleaseStock", undoes=id)
    await shop.send(undo)
    await shop.answer(f"{id}:undo")
    await shop.send(command(order, id))
    await shop.send(undo)  # of one key: what is answered behind the command comes after it
    await shop.answer(f"{id}:undo")
    assert await shop.reserved(order) == []


async def test_what_is_no_command_of_the_contract_is_dead_lettered(shop: Shop) -> None:
    """And what comes after it is served: poison, and another body under a known id."""
    order, id = str(uuid4()), f"odd-{uuid4()}"
    await shop.send(command(order, f"{id}-poison", b"{"))
    await shop.send(command(order, f"{id}-lines", json.dumps({"order_id": order}).encode()))
    await shop.send(command(order, id))
    await shop.send(command(order, id, json.dumps({"order_id": order, "lines": []}).encode()))
    letters = [await shop.hear(lambda r: r.topic == LETTERS) for _ in range(3)]
    found = {(r.header("ce_id") or b"").decode(): r for r in letters}
    why = {name: (r.header("disposition") or b"").decode() for name, r in found.items()}
    assert why == {f"{id}-poison": "poison", f"{id}-lines": "poison", id: "rejected"}
    letter = found[f"{id}-poison"]
    assert (letter.key, letter.value) == (order, b"{")
    assert letter.header("kafka_dlt-original-topic") == COMMANDS.encode()
    assert letter.header("kafka_dlt-original-consumer-group") == b"inventory"
    assert len(await shop.reserved(order)) == 1
