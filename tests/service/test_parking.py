"""What becomes of those behind an event that waits for its next attempt."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.partitioner import murmur2

from orchestrator.service import Service, ServiceError
from tests.service.conftest import ORDER, Shop, check, until

OTHER = "0b6e7a0e-8a3e-4b11-9a55-0c3f5d7f6e21"


class Shelf:
    """Handlers of events that fail until the test says otherwise."""

    def __init__(self, shop: Shop, order: str, pause: str = "50ms") -> None:
        self.shop = shop
        self.seen: list[str] = []
        self.failures = 0
        self.broken = True
        self._order, self._pause = order, pause
        self.renew()

    def renew(self) -> None:
        """A service that is not started yet."""
        shop = self.shop
        shop.service = shop.make(pause=self._pause, order=self._order)

        @shop.service.on("orders.OrderPlaced")
        async def placed(event: Any) -> None:
            if event.sku.startswith("bad") and self.broken:
                self.failures += 1
                raise RuntimeError("the shelf fell over")
            self.seen.append(event.sku)

    async def tell(self, sku: str, key: str) -> None:
        """An event of a key."""
        await self.shop.tell(sku, key, data={"order_id": key, "sku": sku})

    async def failed(self, count: int) -> None:
        """Waits until so many attempts have failed."""

        async def enough() -> bool:
            return self.failures >= count

        await until(enough)

    async def has(self, count: int) -> None:
        """Waits until so many were handled."""

        async def enough() -> bool:
            return len(self.seen) >= count

        await until(enough)


async def test_ordered_keys_wait_and_others_go_on(shop: Shop) -> None:
    """Later ones of the key queue behind it, also when another process takes partitions over
    meanwhile, and when the one that parked it has gone."""
    shelf = Shelf(shop, "ordered", pause="2s")
    await shop.start()
    await shelf.tell("bad-1", ORDER)
    await shelf.failed(1)
    await shelf.tell("2", ORDER)
    await shelf.tell("other", OTHER)
    await shelf.has(1)
    assert shelf.seen == ["other"]
    shelf.renew()
    await shop.start()
    await shelf.tell("3", ORDER)
    stop, gone = shop.tasks.pop(0)
    stop.set()
    await gone
    shelf.broken = False
    await shelf.tell("4", ORDER)
    await shelf.has(5)
    assert shelf.seen == ["other", "bad-1", "2", "3", "4"]
    await shelf.tell("5", ORDER)
    await shelf.has(6)


async def test_unordered_events_pass_one_that_waits(shop: Shop) -> None:
    """It is handled when its time has come."""
    shelf = Shelf(shop, "unordered", pause="500ms")
    await shop.start()
    await shelf.tell("bad-1", ORDER)
    await shelf.tell("2", ORDER)
    await shelf.has(1)
    shelf.broken = False
    await shelf.has(2)
    assert shelf.seen == ["2", "bad-1"]


async def test_blocking_holds_up_the_partition(shop: Shop) -> None:
    """No other key of it begins while one waits."""
    shelf = Shelf(shop, "blocking", pause="500ms")
    await shop.start()
    await shelf.tell("bad-1", ORDER)
    await shelf.failed(2)
    same = await _same_partition(shop)
    await shelf.tell("other", same)
    shelf.broken = False
    await shelf.has(2)
    assert shelf.seen == ["bad-1", "other"]


async def test_early_events_follow_one_that_had_to_wait(shop: Shop) -> None:
    """They have come before it did; each of them may have to wait in its turn, too."""
    shop.service = shop.make(pause="50ms", order="ordered")
    seen: list[int] = []
    failed: set[int] = set()

    @shop.service.on("orders.Changed")
    async def changed(event: Any) -> None:
        if event.n in (1, 3) and event.n not in failed:
            failed.add(event.n)
            raise RuntimeError("not yet")
        seen.append(event.n)

    async def done() -> bool:
        return len(seen) == 4

    await shop.start()
    for n in (4, 3, 2, 1):
        data = {"order_id": ORDER, "n": n}
        await shop.tell(f"ch-{n}", type="orders.Changed", data=data)
    await until(done)
    assert seen == [1, 2, 3, 4]


def test_numbered_events_cannot_pass_each_other() -> None:
    """What is declared is kept, or the service does not come to life."""
    service = Service("inventory", program=check(order="unordered"))
    with pytest.raises(ServiceError, match="policy `quick` retries `unordered`"):
        service.on("orders.Changed")


@pytest.mark.parametrize("order", ["blocking", "unordered"])
async def test_what_is_used_up_lets_the_others_go_on(shop: Shop, order: str) -> None:
    """After three attempts it is a dead letter."""
    shelf = Shelf(shop, order)
    await shop.start()
    await shelf.tell("bad-1", ORDER)
    await shelf.tell("2", ORDER)
    await shelf.has(1)
    [letter] = await shop.next()
    assert letter.header("disposition") == b"exhausted"
    assert shelf.seen == ["2"]


async def test_what_is_used_up_holds_its_key(shop: Shop) -> None:
    """Where order is kept by key, until a person has decided; other keys go on."""
    shelf = Shelf(shop, "ordered")
    await shop.start()
    await shelf.tell("bad-1", ORDER)
    await shelf.tell("2", ORDER)
    [letter] = await shop.next()
    assert letter.header("disposition") == b"exhausted"
    assert letter.header("holdskey") == b"true"
    await shelf.tell("3", ORDER)
    await shelf.tell("other", OTHER)
    await shelf.has(1)
    assert shelf.seen == ["other"]


async def _same_partition(shop: Shop) -> str:
    """A key that goes where `ORDER` goes."""

    def partition(key: str) -> int:
        return int((murmur2(key.encode()) & 0x7FFFFFFF) % 3)

    keys = (f"{OTHER[:-4]}{n:04}" for n in range(1000))
    return next(k for k in keys if partition(k) == partition(ORDER))
