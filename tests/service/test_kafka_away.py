"""A participant whose broker goes away: it waits for it, and can be stopped meanwhile."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from orchestrator.dev.kafka import KafkaServer
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.kafka_settings import KafkaSettings
from orchestrator.service import Health
from orchestrator.service.runner import ServiceRunner
from orchestrator.store.database import Database
from orchestrator.store.tables import outbox_pending
from tests.service.conftest import Shop, reservations, until
from tests.service.test_health import get
from tests.tasks import lasting


async def test_a_participant_outlasts_its_broker(tmp_path: Path) -> None:
    """Away when it opens its consumers, the broker is waited for, and whoever asks hears of it.
    Away when it is told to stop, it ends in time all the same: what it has stored stays stored, and
    no task is left."""
    url = f"sqlite:///{tmp_path}/a.db"
    before = asyncio.all_tasks()
    async with KafkaServer(tmp_path / "kafka") as kafka:
        settings = KafkaSettings(bootstrap=kafka.bootstrap, publish_limit=3.0)
        async with Health(0) as health:
            async with KafkaBus(settings) as bus:
                shop = Shop(bus, url, 0, "replies")
                await bus.create_topics(shop.topics)
                handling, go = _handler(shop)
                runner = ServiceRunner(shop.service, bus, url, drain=2.0, health=health)
                stop = asyncio.Event()
                async with runner:
                    kafka.kill()
                    running = asyncio.create_task(runner.run(stop))

                    async def waits() -> bool:
                        status, said = await get(health.port, "/ready")
                        reasons = said["services"].get("inventory", [])
                        return status == 503 and any("does not answer" in r for r in reasons)

                    async def ready() -> bool:
                        return (await get(health.port, "/ready"))[0] == 200

                    await until(waits)
                    await kafka.start()
                    await until(ready)
                    await shop.send(shop.command("one"))
                    await handling.wait()
                    kafka.kill()
                    go.set()

                    async def stored() -> bool:
                        return await _pending(url) == 1

                    await until(stored)
                    began = time.monotonic()
                    stop.set()
                    await running
            # Two seconds for the answer, five for the outbox twice, and what ends connections.
            assert time.monotonic() - began < 30
    assert await _pending(url) == 1
    assert await shop.reserved() == ["one"]
    assert await lasting(asyncio.all_tasks() - before) == set()


def _handler(shop: Shop) -> tuple[asyncio.Event, asyncio.Event]:
    """Its own two events: that it has begun, and that it may end."""
    handling, go = asyncio.Event(), asyncio.Event()
    messages = shop.service.messages

    @shop.service.handles("ReserveStock")
    async def reserve(command: Any, session: Any, context: Any) -> Any:
        handling.set()
        await go.wait()
        await session.execute(insert(reservations).values(id=context.message_id))
        context.publish(messages.StockLow(order_id=command.order_id, sku="a", left=1))
        return messages.StockReserved(order_id=command.order_id, reservation_id="r1")

    return handling, go


async def _pending(url: str) -> int:
    """How many messages of the outbox are not published."""
    async with Database(url) as database, database.reading() as session:
        return len((await session.execute(select(outbox_pending))).all())
