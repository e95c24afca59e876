"""Retry topics: where events wait that may be passed."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dsl.model import Retry
from orchestrator.messaging.record import Record
from orchestrator.messaging.retry_topic import read_waiting, retry_topic, to_wait
from orchestrator.service import Service
from orchestrator.service.topics import topics_of
from orchestrator.service.waits import delay_for, delays, wait_after
from tests.service.conftest import ORDER, Shop, check, until

READ = Record("t", "k", b"v", (("ce_id", b"m"),), 2, 7, datetime(2026, 1, 1, tzinfo=UTC))


class Clerk:
    """A service whose handler breaks as often as the event says: `bad-3` three times."""

    def __init__(self, shop: Shop, pause: str = "300ms") -> None:
        self.shop, self.pause = shop, pause
        self.attempts: list[tuple[str, float]] = []
        self.seen: list[str] = []
        self.renew()

    def renew(self) -> None:
        """One that is not started yet."""
        self.shop.service = self.shop.make(pause=self.pause, order="unordered")

        @self.shop.service.on("orders.OrderPlaced")
        async def placed(event: Any) -> None:
            self.attempts.append((event.sku, time.monotonic()))
            tried = sum(1 for sku, _ in self.attempts if sku == event.sku)
            if event.sku.startswith("bad") and tried <= int(event.sku[-1]):
                raise RuntimeError("not yet")
            self.seen.append(event.sku)

    async def tell(self, *skus: str) -> None:
        """An event each, all of one key."""
        for sku in skus:
            await self.shop.tell(sku, data={"order_id": ORDER, "sku": sku})

    async def has(self, *skus: str) -> None:
        """Waits until these were handled."""

        async def all_of_them() -> bool:
            return len(self.seen) >= len(skus)

        await until(all_of_them)
        assert sorted(self.seen) == sorted(skus)


async def letter_of(shop: Shop) -> Record:
    """The next dead letter."""
    found: list[Record] = []

    async def there() -> bool:
        found.extend(await shop.tap.poll(1, 1.0))
        return bool(found)

    await until(there)
    return found[0]


async def test_an_event_waits_beside_those_of_its_key(shop: Shop) -> None:
    """For as long as the policy says, each time, and is then handled once."""
    clerk = Clerk(shop)
    await shop.start()
    topic = f"{shop.orders}.inventory-events-retry-300ms"
    tap = await shop.bus.tap([topic])
    await clerk.tell("bad-2", "good")
    await clerk.has("good", "bad-2")
    assert clerk.seen == ["good", "bad-2"]
    times = [at for sku, at in clerk.attempts if sku == "bad-2"]
    assert len(times) == 3 and all(b - a >= 0.29 for a, b in itertools.pairwise(times))
    waited = [r for r in await tap.poll(10, 5.0) if r.header("ce_id") == b"bad-2"]
    assert waited and waited[0].key == ORDER


async def test_what_is_used_up_is_a_letter_of_its_own_topic(shop: Shop) -> None:
    """With the place where it was read, not that where it waited."""
    clerk = Clerk(shop, "50ms")
    await shop.start()
    await clerk.tell("bad-9")
    letter = await letter_of(shop)
    assert letter.topic == f"{shop.orders}.inventory-events-dlt"
    assert letter.header("kafka_dlt-original-topic") == shop.orders.encode()
    assert letter.header("kafka_dlt-original-offset") == bytes(8)
    assert letter.header("retry") is None and len(clerk.attempts) == 3


async def test_what_cannot_be_read_does_not_wait(shop: Shop) -> None:
    """It is a letter at once."""
    clerk = Clerk(shop, "30s")
    await shop.start()
    await shop.tell("ev", data=b"\xff")
    letter = await letter_of(shop)
    assert letter.header("disposition") == b"poison" and clerk.attempts == []


async def test_it_waits_through_a_rebalance(shop: Shop) -> None:
    """A second process takes partitions over while events wait; each is handled once, none before
    its time, and none is lost when the first process ends."""
    clerk = Clerk(shop, "4s")
    await shop.start()
    skus = [f"bad-{n}1" for n in range(6)]
    for sku in skus:
        await shop.tell(sku, key=sku, data={"order_id": ORDER, "sku": sku})

    async def tried() -> bool:
        return len({sku for sku, _ in clerk.attempts}) == len(skus)

    await until(tried)
    clerk.renew()
    await shop.start()
    stop, gone = shop.tasks.pop(0)
    stop.set()
    await gone
    await clerk.has(*skus)
    for sku in skus:
        first, *_, last = [at for each, at in clerk.attempts if each == sku]
        assert last - first >= 3.9


def test_each_delay_has_a_topic() -> None:
    """With as many partitions as the topic that events come from; none where order is kept."""
    for order, names in (("unordered", ["o.inventory-events-retry-2s"]), ("ordered", [])):
        service = Service("inventory", program=check("c", "e", "o", "2s", order))
        service.on("orders.OrderPlaced")(_nothing)
        found = [t for t in topics_of(service) if "-retry-" in t.name]
        assert [t.name for t in found] == names
        assert all(t.partitions == 3 for t in found)


async def _nothing(event: Any) -> None:
    """A handler."""


@pytest.mark.parametrize(
    ("retry", "expected"),
    [
        (Retry(attempts=1, initial=timedelta(seconds=1), factor=2.0), []),
        (Retry(attempts=4, initial=timedelta(seconds=1), factor=1.0), [1.0]),
        (Retry(attempts=5, initial=timedelta(seconds=1), factor=2.0), [1.0, 2.0, 4.0, 8.0]),
        (Retry(attempts=99, initial=timedelta(seconds=8), factor=2.0), [8.0, 16.0, 30.0]),
    ],
)
def test_a_delay_for_each_wait(retry: Retry, expected: list[float]) -> None:
    """Up to the longest; no two of one length."""
    assert delays(retry) == expected


def test_many_waits_share_some_delays() -> None:
    """The shortest and the longest among them; nobody waits behind one that waits longer."""
    retry = Retry(attempts=500, initial=timedelta(seconds=1), factor=1.1)
    found = delays(retry)
    assert len(found) == 8 and found[0] == 1.0 and found[-1] == 30.0
    for attempt in range(1, 499):
        assert delay_for(found, wait_after(retry, attempt)) <= wait_after(retry, attempt) + 0.01


@pytest.mark.parametrize(
    ("delay", "name"),
    [(0.5, "500ms"), (1.5, "1500ms"), (2.0, "2s"), (90.0, "90s"), (120.0, "2m"), (7200.0, "2h")],
)
def test_the_topic_says_its_delay(delay: float, name: str) -> None:
    """In the largest unit that has no fraction."""
    assert retry_topic("orders.events", "mail", delay) == f"orders.events.mail-retry-{name}"


def test_a_record_is_the_same_after_its_wait() -> None:
    """Also when it waits again, and when another program wrote to the topic."""
    waits = to_wait(READ, "t.g-retry-1s", 2, 1000.25)
    assert (waits.topic, waits.key, waits.partition) == ("t.g-retry-1s", "k", None)
    found = read_waiting(waits._replace(partition=0, offset=99), "t")
    assert (found.record, found.attempt, found.due) == (READ, 2, 1000.25)
    again = read_waiting(to_wait(found.record, "t.g-retry-1s", 3, 1.0), "t")
    assert (again.record, again.attempt) == (READ, 3)
    foreign = read_waiting(READ._replace(topic="x", headers=(("retry", b"?:1"),)), "t")
    assert (foreign.record.topic, foreign.attempt, foreign.due) == ("t", 2, 0.0)
