"""SIGKILL in the middle of 60 sagas: every one of them ends as its order says, and the books are
exact."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client

from dsl.load import load
from orchestrator.deploy.deploy import deploy
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.chaos.order_shop import FLOWS, SERVICES, Shop
from tests.chaos.processes import Command, running
from tests.runtime.eventually import eventually

ORDERS = 60

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
        self.worker = Command("worker", ready=("serving ",), env=env, log=folder / "worker.log")
        self.books = self._services(env, folder, "inventory", "payments")
        self.couriers = self._services(env, folder, "shipping", "notifications")

    def _services(self, env: dict[str, str], folder: Path, *names: str) -> Command:
        only = [word for name in names for word in ("--only", name)]
        return Command(
            *("service", str(FLOWS / "services.py"), *only),
            ready=tuple(f"topic={name}.commands" for name in names),
            env=env,
            log=folder / f"{names[0]}.log",
        )

    @property
    def all(self) -> tuple[Command, ...]:
        """Those that serve an order."""
        return (self.worker, self.books, self.couriers)


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
    loaded = load([FLOWS])
    async with Database(url) as database:
        await migrate(database.engine)
        await deploy(loaded, client, bus, database)


async def test_killed_processes_lose_nothing(
    stack: DevStack,
    client: Client,
    kafka_bus: Bus,
    tmp_path: Path,
    new_postgres_database: Callable[[], Awaitable[str]],
) -> None:
    """The worker dies with sagas in every state, and two services in mid-transaction; started
    again, they bring all sagas to their ends, and each command has its one effect."""
    url = await new_postgres_database()
    await deployed(url, client, kafka_bus)
    databases = {"ORCHESTRATE_DATABASE": url, "ORCHESTRATE_SERVICES_DATABASE": url}
    processes = Processes(stack, tmp_path, databases)
    shop = Shop.of(client, dict.fromkeys(SERVICES, url), ORDERS)
    async with hearing(shop, kafka_bus), running(*processes.all):
        await shop.order()
        await eventually(lambda: shop.answered("payment") >= ORDERS // 4, "a quarter is paid", 60)
        for dead in (processes.worker, processes.books):
            await dead.kill()
        killed = time.monotonic()
        for risen in (processes.worker, processes.books):
            await risen.start()
        for risen in (processes.worker, processes.books):
            await risen.until_ready()
        print(f"serving again after {time.monotonic() - killed:.1f}s")
        outcomes = await shop.ends(LIMIT)
        print(f"all ended after {time.monotonic() - killed:.1f}s")
    await shop.check(outcomes)
