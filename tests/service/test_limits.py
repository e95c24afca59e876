"""What a service's policy says of its handlers: breakers, rates, how many at once."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from orchestrator.service.runner import ServiceRunner
from tests.service.conftest import ORDER, Shop, until


def bounded(shop: Shop, settings: str, order: str = "ordered") -> None:
    """A service whose policy has these settings, too."""
    shop.service = shop.make(order=f"{order} {settings}")


class Desk:
    """Handlers of events and commands that fail while they are told to."""

    def __init__(self, shop: Shop) -> None:
        self.broken = True
        self.failures = 0
        self.done: list[str] = []
        service = shop.service

        @service.on("orders.OrderPlaced")
        async def placed(event: Any) -> None:
            self._do(event.sku)

        @service.handles("ReserveStock")
        async def reserve(command: Any, context: Any) -> Any:
            self._do(context.message_id)
            return service.messages.StockReserved(order_id=command.order_id, reservation_id="r")

    def _do(self, what: str) -> None:
        if self.broken:
            self.failures += 1
            raise RuntimeError("what it needs is away")
        self.done.append(what)

    async def failed(self, count: int) -> None:
        """Waits until so many attempts have failed."""
        await until(lambda: _is(self.failures >= count))

    async def has(self, count: int) -> None:
        """Waits until so many were done."""
        await until(lambda: _is(len(self.done) >= count))


async def _is(holds: bool) -> bool:
    return holds


async def test_an_open_circuit_spends_no_attempt(shop: Shop) -> None:
    """Events wait for as long as it takes, one of them at a time asks, and none is given up."""
    bounded(shop, "circuit_breaker: breaker(failures: 2, within: 60s, open_for: 100ms)")
    desk = Desk(shop)
    await shop.start()
    for number in range(2):
        key = str(uuid.uuid4())
        await shop.tell(f"e{number}", key, data={"order_id": key, "sku": f"e{number}"})
    # More than the six attempts that two events have.
    await desk.failed(8)
    desk.broken = False
    await desk.has(2)
    assert sorted(desk.done) == ["e0", "e1"]
    assert await shop.tap.poll(10, 0.5) == []


async def test_a_partition_waits_for_the_circuit(shop: Shop) -> None:
    """With `blocking`, too, in the order of the key."""
    breaker = "circuit_breaker: breaker(failures: 2, within: 60s, open_for: 100ms)"
    bounded(shop, breaker, "blocking")
    desk = Desk(shop)
    await shop.start()
    for number in range(4):
        await shop.tell(f"e{number}", data={"order_id": ORDER, "sku": f"e{number}"})
    await desk.failed(5)
    desk.broken = False
    await desk.has(4)
    assert desk.done == ["e0", "e1", "e2", "e3"]


async def test_a_service_stops_while_its_circuit_is_open(shop: Shop) -> None:
    """Without waiting for it; what it did not do comes again."""
    bounded(shop, "circuit_breaker: breaker(failures: 1, within: 60s, open_for: 5m)")
    desk = Desk(shop)
    await shop.start()
    await shop.send(shop.command("c1"))
    await desk.failed(1)
    for number in range(2, 21):
        await shop.send(shop.command(f"c{number}", key=str(uuid.uuid4())))
    async with asyncio.timeout(15):
        await shop.stop()
    # A few had begun when it opened.
    assert desk.failures <= 8
    shop.service = shop.make()
    again = Desk(shop)
    again.broken = False
    await shop.start()
    await again.has(20 - desk.failures)


async def test_so_many_at_once(shop: Shop) -> None:
    """Commands and events together, whatever the keys."""
    bounded(shop, "max_in_flight: 2")
    running, most, done = 0, 0, 0

    async def work() -> None:
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        done += 1

    @shop.service.on("orders.OrderPlaced")
    async def placed(event: Any) -> None:
        await work()

    @shop.service.handles("ReserveStock")
    async def reserve(command: Any) -> Any:
        await work()
        return shop.service.messages.StockReserved(order_id=command.order_id, reservation_id="r")

    await shop.start()
    for number in range(4):
        key = str(uuid.uuid4())
        await shop.tell(f"e{number}", key, data={"order_id": key, "sku": "a"})
        await shop.send(shop.command(f"c{number}", key=key))
    await until(lambda: _is(done == 8))
    assert most <= 2  # SQLite lets one write at a time


#: Ends the policy of the contract, for a service that may lose what it is told.
VIEWERS = """ordered }
policy sparing { rate_limit: 3 / 1m  overflow: shed }
service viewers {
  policy: sparing
  event Shown key order_id delivery at_most_once { order_id: uuid }
}
policy other { timeout: 1s"""


async def test_what_may_be_dropped_is_dropped_beyond_the_rate(shop: Shop) -> None:
    """Events that are delivered at most once, with `shed`: they do not wait for their turn."""
    service, looked, stop = shop.make("viewers", order=VIEWERS), list[str](), asyncio.Event()

    @service.on("orders.Looked")
    async def look(event: Any) -> None:
        looked.append(event.sku)

    await shop.bus.create_topics(shop.topics)
    async with ServiceRunner(service, shop.bus, shop.url) as runner:
        task = asyncio.create_task(runner.run(stop))
        for number in range(10):
            data = {"order_id": ORDER, "sku": f"e{number}"}
            await shop.tell(f"e{number}", type="orders.Looked", data=data)
        counts = runner.admission.counts
        await until(lambda: _is(counts["shed"] == 7))
        stop.set()
        await task
    assert looked == ["e0", "e1", "e2"]


async def test_a_rate(shop: Shop) -> None:
    """A burst, and then one after the other."""
    bounded(shop, "rate_limit: 5 / 500ms")
    desk, clock = Desk(shop), asyncio.get_running_loop().time
    desk.broken = False
    await shop.start()
    for number in range(15):
        await shop.send(shop.command(f"c{number}"))
    await desk.has(5)
    began = clock()
    await desk.has(15)
    assert clock() - began >= 0.7
