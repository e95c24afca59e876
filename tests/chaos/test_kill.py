"""SIGKILL in the middle of 200 sagas: every one of them ends as its order says, and the books are
exact."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client

from dsl.load import load
from orchestrator.deploy.deploy import deploy
from orchestrator.dev.postgres import PostgresServer
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.chaos.processes import Command, running
from tests.chaos.shop import FLOWS, SERVICES, Shop, sqlite_files
from tests.conftest import new_postgres_database
from tests.runtime.eventually import eventually

ORDERS = 200

#: Seconds from the kill to the last saga's end. Alone, a saga to the Moon takes 5.
LIMIT = 90.0

pytestmark = pytest.mark.timeout(300)


class Processes:
    """The worker and the services, against the session's servers."""

    def __init__(self, stack: DevStack, folder: Path, databases: dict[str, str]) -> None:
        env = {
            "ORCHESTRATE_TEMPORAL": stack.addresses.temporal,
            "ORCHESTRATE_KAFKA": stack.addresses.kafka or "",
            "ORCHESTRATE_DATA": str(folder),
            **databases,
        }
        self.worker = Command("worker", ready="serving ", env=env, log=folder / "worker.log")
        self.service = Command(
            *("service", str(FLOWS / "services.py")),
            # Said by each service when its consumer has joined.
            ready="service=shipping topic=shipping.commands",
            env=env,
            log=folder / "service.log",
        )


@asynccontextmanager
async def hearing(shop: Shop, bus: Bus) -> AsyncIterator[None]:
    """Keeps what passes on the bus."""
    stop = asyncio.Event()
    reader = await shop.listen(bus)
    task = asyncio.create_task(shop.hear(reader, stop))
    try:
        yield
    finally:
        stop.set()
        await task
        await reader.close()


async def deployed(url: str, client: Client, bus: Bus) -> None:
    """The sample flow, in a store of its own."""
    async with Database(url) as database:
        await migrate(database.engine)
        await deploy(load([FLOWS]), client, bus, database)


async def test_a_killed_worker_loses_nothing(
    stack: DevStack, client: Client, kafka_bus: Bus, tmp_path: Path
) -> None:
    """The worker dies with sagas in every state; another one brings them all to their ends."""
    store = f"sqlite:///{tmp_path}/store.db"
    await deployed(store, client, kafka_bus)
    processes = Processes(stack, tmp_path, {"ORCHESTRATE_DATABASE": store})
    shop = Shop.of(client, sqlite_files(tmp_path), ORDERS)
    async with hearing(shop, kafka_bus), running(processes.service, processes.worker):
        await shop.order()
        await eventually(lambda: shop.answered("payment") >= ORDERS // 4, "a quarter is paid", 60)
        await processes.worker.kill()
        killed = time.monotonic()
        await processes.worker.start()
        outcomes = await shop.ends(LIMIT)
        print(f"all ended {time.monotonic() - killed:.1f}s after the worker's death")
    await shop.check(outcomes)


async def test_a_killed_service_loses_nothing(
    stack: DevStack, client: Client, kafka_bus: Bus, tmp_path: Path, postgres: PostgresServer
) -> None:
    """All services die in mid-transaction; started again, each command has its one effect."""
    url = await new_postgres_database(postgres)
    await deployed(url, client, kafka_bus)
    databases = {"ORCHESTRATE_DATABASE": url, "ORCHESTRATE_SERVICES_DATABASE": url}
    processes = Processes(stack, tmp_path, databases)
    shop = Shop.of(client, dict.fromkeys(SERVICES, url), ORDERS)
    async with hearing(shop, kafka_bus), running(processes.service, processes.worker):
        await shop.order()
        await eventually(lambda: shop.answered("payment") >= ORDERS // 4, "a quarter is paid", 60)
        await processes.service.kill()
        killed = time.monotonic()
        await processes.service.start()
        outcomes = await shop.ends(LIMIT)
        print(f"all ended {time.monotonic() - killed:.1f}s after the services' death")
    await shop.check(outcomes)
