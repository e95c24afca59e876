"""The wallets, deployed and run on real Temporal, Kafka and PostgreSQL: what is done once by its
key or its version, and a service that lives from events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest_asyncio
from sqlalchemy import select
from temporalio.client import Client

from dsl.load import load
from orchestrator.cli.participants import read_services
from orchestrator.deploy.deploy import deploy
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.envelope import Envelope, to_record
from orchestrator.runtime.instances import Instances, UnknownInstanceError
from orchestrator.runtime.worker import SagaWorker
from orchestrator.service.runner import ServiceRunner
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.runtime.eventually import eventually

WALLET = Path(__file__).parents[2] / "flows" / "wallet"


@dataclass
class Bank:
    """Who tells the wallets what happened, and looks into their books."""

    client: Client
    bus: Bus
    database: Database
    tables: dict[str, Any]

    async def tell(self, type: str, key: str, **fields: Any) -> None:
        """Publishes an event."""
        envelope = Envelope(
            id=f"{type}/{key}",
            type=type,
            source="/test",
            time=datetime.now(UTC),
            key=key,
            data=json.dumps(fields).encode(),
        )
        await self.bus.publish(to_record(envelope, f"{type.partition('.')[0]}.events"))

    async def end(self, saga: str) -> Any:
        """How a saga ends, once it is there."""

        async def ended() -> Any:
            try:
                return await Instances(self.client).outcome(saga)
            except UnknownInstanceError:
                return None

        return await eventually(ended, f"{saga} ends")

    async def noticed(self, notice: str, payment: str, amount: str) -> Any:
        """A payment, and how its saga ends."""
        fields = {"notice": notice, "payment": payment, "wallet": "w1", "amount": amount}
        await self.tell("clearing.PaymentNoticed", notice, **fields)
        return await self.end(f"TopUpWallet/{notice}")

    async def limit(self, request: str, version: int, limit: str) -> Any:
        """A limit, and how its saga ends."""
        fields = {"request": request, "wallet": "w1", "version": version, "limit": limit}
        await self.tell("desk.LimitWanted", request, **fields)
        return await self.end(f"ChangeLimit/{request}")

    async def account(self) -> Any:
        """The wallet's row."""
        async with self.database.reading() as session:
            return (await session.execute(select(self.tables["accounts"]))).one()

    async def receipts(self) -> list[Decimal]:
        """The balances that the customer was told, lowest first."""
        async with self.database.reading() as session:
            return sorted((await session.execute(select(self.tables["sent"].c.balance))).scalars())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bank(
    client: Client, kafka_bus: Bus, new_postgres_database: Callable[[], Awaitable[str]]
) -> AsyncIterator[Bank]:
    """The flow deployed, a worker, and its services."""
    url, stop = await new_postgres_database(), asyncio.Event()
    services = read_services(WALLET / "services.py")
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        database = await stack.enter_async_context(Database(url))
        await migrate(database.engine)
        await deploy(load([WALLET]), client, kafka_bus, database)
        worker = SagaWorker(client, kafka_bus, database)
        tasks.create_task(worker.run(stop))
        for service in services.values():
            runner = ServiceRunner(service, kafka_bus, url)
            tasks.create_task((await stack.enter_async_context(runner)).run(stop))
        await eventually(worker.ready.is_set, "the worker is ready")
        tables = {
            "accounts": _table(services["wallets"].metadata, "accounts"),
            "sent": _table(services["receipts"].metadata, "sent_receipts"),
        }
        yield Bank(client, kafka_bus, database, tables)
        stop.set()


async def test_what_comes_twice_is_done_once(bank: Bank) -> None:
    """Two notices of one payment, then one more when the payment was taken back; limits by their
    version; a receipt for each change of the balance."""
    first = await bank.noticed("n1", "p1", "10")
    again = await bank.noticed("n2", "p1", "10")
    assert Decimal(first.result) == Decimal(again.result) == 10
    assert (await bank.account()).balance == 10

    await bank.tell("clearing.PaymentReversed", "n3", notice="n3", payment="p1", wallet="w1")
    assert (await bank.end("ReversePayment/n3")).reason is None
    assert Decimal((await bank.noticed("n4", "p1", "12")).result) == 12

    version = (await bank.account()).version
    assert (await bank.limit("r1", version, "500")).result == version + 1
    assert "look at the wallet again" in str((await bank.limit("r2", version, "900")).reason)
    assert (await bank.limit("r3", version, "500")).result == version + 1
    account = await bank.account()
    assert (account.version, account.limit, account.balance) == (version + 1, 500, 12)

    async def told() -> bool:
        return await bank.receipts() == [0, 10, 12]

    await eventually(told, "the customer was told")


def _table(metadata: Any, name: str) -> Any:
    return metadata.tables[name]
