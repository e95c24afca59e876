"""The numbers that a service keeps, as Prometheus reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from orchestrator.messaging.memory import MemoryBus
from orchestrator.messaging.observed import observed_bus, observed_handle
from orchestrator.service import Health
from orchestrator.telemetry import metrics
from tests.service.conftest import Shop, until

Numbers = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Numbers of one test alone."""
    metrics.end()
    yield
    metrics.end()


async def numbers(port: int) -> Numbers:
    """Every sample by its name and the values of its labels, sorted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert b"200 OK" in head and b"text/plain" in head
    families = text_string_to_metric_families(body.decode())
    return {
        (s.name, tuple(v for _, v in sorted(s.labels.items()))): s.value
        for family in families
        for s in family.samples
    }


async def test_what_a_service_counts(shop: Shop) -> None:
    """What it handles and how long, what fails, what it sends and gives up, what it holds."""
    held = asyncio.Event()

    @shop.service.handles("ReserveStock")
    async def reserve(command: Any, context: Any) -> Any:
        if context.message_id == "broken":
            raise ValueError("no")
        if context.message_id == "slow":
            await held.wait()
        return shop.service.messages.StockReserved(order_id=command.order_id, reservation_id="r")

    async with Health(0) as health:
        await shop.start()
        await shop.send(shop.command())
        await shop.send(shop.command("broken"))
        await shop.send(shop.command("poison", data=b"{"))
        await shop.next(2)

        async def looked() -> bool:
            return any(name == "orchestrate_waiting" for name, _ in await numbers(health.port))

        await until(looked)
        await shop.send(shop.command("slow"))

        async def waits() -> bool:
            found = await numbers(health.port)
            here = [v for (name, _), v in found.items() if name == "orchestrate_in_flight_messages"]
            return sum(here) == 1

        await until(waits)
        found = await numbers(health.port)
        depths = {k[1]: v for k, v in found.items() if k[0] == "orchestrate_waiting"}
        held.set()
        await shop.stop()
    assert depths == {("inventory", w): 0 for w in ("outbox", "parked", "refused")}
    place = ("inventory", shop.commands)
    assert found["messaging_process_duration_seconds_count", place] == 3
    failed = ("orchestrate_attempts_failed_total", ("ValueError", *place))
    assert found[failed] == 1
    assert found["orchestrate_dead_letters_total", ("poison", *place)] == 1
    assert found["messaging_client_sent_messages_total", ("", shop.replies)] == 1
    assert any(name == "process_resident_memory_bytes" for name, _ in found)


async def test_nothing_is_counted_for_nobody() -> None:
    """Without an endpoint a bus and a handler are themselves."""
    bus = MemoryBus()
    assert observed_bus(bus) is bus
    assert observed_handle(bus.publish, "g") == bus.publish
