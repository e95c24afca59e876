"""A service that gives messages up, and a person who looks at the index."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from dsl.model import TopicModel
from orchestrator.compile.plan import Plan
from orchestrator.messaging.deadletter import Disposition, dead_letter, dead_letter_topic
from orchestrator.messaging.envelope import to_record
from orchestrator.runtime.letters import Letters
from orchestrator.runtime.redrive import Redrive, Report
from orchestrator.store import letters
from orchestrator.store.database import Database
from orchestrator.store.letter_choice import Choice
from orchestrator.store.letters import OPEN, Letter
from orchestrator.store.migrate import migrate
from tests.service.conftest import ORDER, Shop, until

WAITING = Choice(states=OPEN)


class Desk:
    """A service whose handlers break for what is `bad`, and a person who looks at the index."""

    def __init__(self, shop: Shop, database: Database, order: str = "unordered") -> None:
        self.shop = shop
        self.database = database
        self.seen: list[str] = []
        self.broken = True
        self._stop = asyncio.Event()
        shop.service = shop.make(order=order)

        @shop.service.on("orders.OrderPlaced")
        async def placed(event: Any) -> None:
            if event.sku.startswith("bad") and self.broken:
                raise ConnectionError("the shelf is away")
            self.seen.append(event.sku)

    async def start(self) -> None:
        """The service, and what indexes its letters."""
        await self.shop.start()
        topics = tuple(TopicModel(name=n) for n in (self.shop.orders, self.shop.commands))
        plans = [Plan(module="shop", topics=topics)]
        index = Letters(self.shop.bus, self.database, lambda: plans)
        self._task = asyncio.create_task(index.run(self._stop))

    async def stop(self) -> None:
        """Its failure is one of the test."""
        self._stop.set()
        await self._task

    async def tell(self, *skus: str) -> None:
        """An event each, of keys of their own."""
        for sku in skus:
            await self.shop.tell(sku, key=sku, data={"order_id": ORDER, "sku": sku})

    async def died(self, *skus: str) -> None:
        """A letter of an event each, as if the service had given them up."""
        for sku in skus:
            data = json.dumps({"order_id": ORDER, "sku": sku}).encode()
            event = self.shop.command(
                sku, type="orders.OrderPlaced", key=sku, data=data, reply_to=None
            )
            read = to_record(event, self.shop.orders, 0)._replace(offset=0)
            group = "inventory-events"
            topic = dead_letter_topic(self.shop.orders, group)
            await self.shop.bus.publish(
                dead_letter(read, topic, "away", Disposition.EXHAUSTED, group)
            )

    async def waiting(self, count: int, choice: Choice = WAITING) -> list[Letter]:
        """Waits until so many letters are in the index."""
        found: list[Letter] = []

        async def enough() -> bool:
            nonlocal found
            async with self.database.reading() as session:
                found = await letters.page(session, choice)
            return len(found) >= count

        await until(enough)
        assert len(found) == count
        return found

    async def has(self, *skus: str) -> None:
        """Waits until these were handled, and nothing else."""

        async def all_of_them() -> bool:
            return len(self.seen) >= len(skus)

        await until(all_of_them)
        assert sorted(self.seen) == sorted(skus)

    async def redrive(self, choice: Choice = WAITING, **options: Any) -> Report:
        """As a person does."""

        async def no_step(_: Letter) -> str | None:
            raise AssertionError("no saga's step is among them")

        options = {"run": "r1", "who": "ada", "settle": 0.0, **options}
        return await Redrive(self.database, self.shop.bus, no_step, **options).run(choice)


@asynccontextmanager
async def desk_of(shop: Shop, order: str = "unordered") -> AsyncIterator[Desk]:
    """A desk whose service runs."""
    async with Database(shop.url) as database:
        await migrate(database.engine)
        made = Desk(shop, database, order)
        await made.start()
        yield made
        await made.stop()


async def behind(queue: Desk) -> Letter:
    """A letter, two events of its key behind it, and one of another that is not held up."""
    await queue.tell("bad")
    [letter] = await queue.waiting(1)
    assert letter.holds
    for sku in ("b", "c"):
        await queue.shop.tell(sku, key="bad", data={"order_id": ORDER, "sku": sku})
    await queue.tell("other")
    await queue.has("other")
    return letter
