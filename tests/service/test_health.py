"""Health endpoints: who asks hears whether a service is ready, and why not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from orchestrator.messaging.bus import BusError, Reader
from orchestrator.messaging.memory import MemoryBus
from orchestrator.messaging.record import Record
from orchestrator.service import Health, Service, ServiceError
from orchestrator.service.readiness import Readiness, Stage
from orchestrator.service.relay import Relay
from orchestrator.store.database import Database
from tests.service.conftest import Shop, check, until


async def get(port: int, path: str) -> tuple[int, Any]:
    """Status and JSON of a GET."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1]), json.loads(body)


def serving() -> Service:
    """A service with a handler."""
    service = Service("inventory", program=check())

    @service.handles("ReserveStock")
    async def reserve(command: Any) -> Any: ...

    return service


async def test_a_service_is_ready_while_it_runs(tmp_path: Path) -> None:
    """Not before it has started, and not once it stops; the process is alive all the time."""
    stop, url = asyncio.Event(), f"sqlite:///{tmp_path}/a.db"
    async with MemoryBus() as bus, Health(0) as health:
        assert await get(health.port, "/live") == (200, {"status": "alive"})
        assert await get(health.port, "/ready") == (503, {"status": "not ready", "services": {}})
        task = asyncio.create_task(serving().serve(bus, url, stop=stop, health=health))

        async def ready() -> bool:
            return (await get(health.port, "/ready"))[0] == 200

        await until(ready)
        found = await get(health.port, "/ready")
        assert found == (200, {"status": "ready", "services": {"inventory": []}})
        stop.set()
        await task
        status, said = await get(health.port, "/ready")
        assert (status, said["services"]) == (503, {"inventory": ["it is stopping"]})
        assert await get(health.port, "/live") == (200, {"status": "alive"})


async def test_every_reason_is_told(unused_tcp_port: int) -> None:
    """Of every service that is watched; one that is not ready is enough."""

    class Spare:
        def assignment(self) -> frozenset[Any]:
            return frozenset()

    async def fine() -> list[str]:
        return []

    url = f"postgresql://u:secret@127.0.0.1:{unused_tcp_port}/d"
    async with Database(url) as database, Health(0) as health:
        readiness = Readiness(database, Relay(database, MemoryBus()))
        health.watch("payments", fine)
        health.watch("inventory", readiness.reasons)
        status, said = await get(health.port, "/ready")
        assert (status, said["services"]["inventory"]) == (503, ["it is starting"])
        readiness.stage = Stage.RUNNING
        readiness.readers["inventory"] = cast(Reader, Spare())
        status, said = await get(health.port, "/ready")
    assert (status, said["status"]) == (503, "not ready")
    assert said["services"]["payments"] == []
    group, gone = said["services"]["inventory"]
    assert group == "group `inventory` has no partition to read"
    assert "is it running" in gone and "secret" not in gone


async def test_a_probe_that_hangs_or_breaks_is_a_reason() -> None:
    """And none of its words get out."""

    async def hangs() -> list[str]:
        await asyncio.Event().wait()
        return []

    async def breaks() -> list[str]:
        raise BusError("password=secret")

    async with Health(0) as health:
        health.watch("one", hangs)
        health.watch("two", breaks)
        status, said = await get(health.port, "/ready")
    assert status == 503
    assert said["services"] == {
        "one": ["it does not say within 3 s"],
        "two": ["it cannot say: BusError"],
    }


async def test_a_port_that_is_taken_is_an_error() -> None:
    """Two processes cannot have one port."""
    async with Health(0) as first:
        with pytest.raises(ServiceError, match=f"127.0.0.1:{first.port}: "):
            async with Health(first.port):
                pass


async def test_a_bus_that_takes_nothing_holds_up_the_outbox(tmp_path: Path) -> None:
    """The relay says why."""

    class Deaf(MemoryBus):
        async def publish_all(self, records: Sequence[Record]) -> dict[int, BusError]:
            away = BusError("the broker does not answer")
            return {n: away for n, r in enumerate(records) if r.topic == "inventory.events"}

    stop, service = asyncio.Event(), Service("inventory", program=check())

    @service.on("orders.OrderPlaced")
    async def placed(event: Any, context: Any) -> None:
        context.publish(service.messages.StockReleased(order_id=event.order_id))

    async with Deaf() as bus, Health(0) as health:
        url = f"sqlite:///{tmp_path}/a.db"
        shop = Shop(bus, url, 0, "replies")
        shop.orders = "orders.events"
        task = asyncio.create_task(service.serve(bus, url, stop=stop, health=health))

        async def ready() -> bool:
            return (await get(health.port, "/ready"))[0] == 200

        await until(ready)
        await shop.tell("ev-1")

        async def told() -> bool:
            _, said = await get(health.port, "/ready")
            waits = "the outbox waits: the broker does not answer"
            return bool(said["services"]["inventory"] == [waits])

        await until(told)
        stop.set()
        await task
