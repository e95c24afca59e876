"""What a service gives up, from the index back to the service: in process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from orchestrator.messaging.bus import Bus
from orchestrator.messaging.memory import MemoryBus
from orchestrator.messaging.record import Record
from orchestrator.runtime.discard import discard_letters
from orchestrator.runtime.letter_edits import edited, store
from orchestrator.store import letters
from tests.service.conftest import ORDER, Shop, until
from tests.service.desk import WAITING, Desk, behind, desk_of


@pytest.fixture
def world(tmp_path: Path) -> Callable[[], Awaitable[tuple[Bus, str]]]:
    """What is special about the servers is in `test_letters_live.py`."""

    async def small() -> tuple[Bus, str]:
        return MemoryBus(), f"sqlite:///{tmp_path / 'inventory.db'}"

    return small


@pytest_asyncio.fixture
async def desk(shop: Shop) -> AsyncIterator[Desk]:
    """One where no order is kept."""
    async with desk_of(shop) as made:
        yield made


@pytest_asyncio.fixture
async def queue(shop: Shop) -> AsyncIterator[Desk]:
    """One where order is kept by key."""
    async with desk_of(shop, "ordered") as made:
        yield made


async def test_what_was_done_all_the_same_is_not_done_twice(desk: Desk) -> None:
    """The inbox knows the id of a letter that is sent twice."""
    await desk.tell("bad")
    [letter] = await desk.waiting(1)
    desk.broken = False
    await desk.redrive()
    await desk.has("bad")
    async with desk.database.reading() as session:
        body = (await letters.bodies(session, [letter.id]))[letter.id]
    await desk.shop.bus.publish(Record(desk.shop.orders, "bad", body.value, body.headers))
    await desk.tell("good")
    await desk.has("bad", "good")


async def test_it_stops_when_they_die_again(desk: Desk) -> None:
    """The others wait as before, and those that came back say after which run."""
    await desk.died("bad-1", "bad-2", "bad-3")
    first = await desk.waiting(3)
    report = await desk.redrive(rate=1.0, settle=30.0)
    assert report.stopped == "they die again" and report.died_again >= 1
    again = [f for f in await desk.waiting(3) if f.after_letter is not None]
    assert again[0].after_letter == first[0].id and again[0].message_id == "bad-1"


async def test_it_goes_no_further_then(desk: Desk) -> None:
    """Not by one letter, when that is known before it is sent."""
    await desk.tell("bad")
    await desk.waiting(1)
    await desk.redrive(settle=20.0)
    await desk.waiting(1)
    report = await desk.redrive(failures=1)
    assert (report.redriven, report.stopped) == (0, "they die again")
    report = await desk.redrive(failures=2)
    assert (report.redriven, report.died_again) == (1, 1)


async def test_what_cannot_be_decoded_is_edited_and_sent(desk: Desk) -> None:
    """Another message then: with an id of its own, and the old one as its cause."""
    await desk.shop.tell("m1", data=b"\xff\xfe")
    [letter] = await desk.waiting(1)
    assert letter.disposition == "poison"
    async with desk.database.transaction() as session:
        body = (await letters.bodies(session, [letter.id]))[letter.id]
        changed = edited(letter, body, {}, None)
        changed.value = b'{"order_id": "%s", "sku": "mended"}' % ORDER.encode()
        assert await store(session, letter, body, changed, "ada")
    reader = await desk.shop.bus.tap([desk.shop.orders])
    assert (await desk.redrive()).redriven == 1
    [record] = await reader.poll(10, 10.0)
    await desk.has("mended")
    id = record.header("ce_id")
    assert id is not None and id.startswith(b"m1:edited:")
    assert record.header("causationid") == b"m1"


async def test_what_is_no_message_at_all_is_edited_too(desk: Desk) -> None:
    """Its headers are given, the rest is added."""
    await desk.shop.bus.publish(Record(desk.shop.orders, ORDER, b"\x00\x01"))
    [letter] = await desk.waiting(1)
    assert (letter.disposition, letter.type, letter.message_id) == ("poison", None, None)
    async with desk.database.transaction() as session:
        body = (await letters.bodies(session, [letter.id]))[letter.id]
        changed = edited(letter, body, {"ce_type": b"orders.OrderPlaced"}, "k")
        changed.value = b'{"order_id": "%s", "sku": "mended"}' % ORDER.encode()
        assert await store(session, letter, body, changed, "ada")
    await desk.redrive()
    await desk.has("mended")


async def test_it_goes_to_none_but_the_group_that_gave_it_up(desk: Desk) -> None:
    """An edited one has a new id, by which nobody would know that it had it."""
    shop, got = desk.shop, list[str]()
    shop.service = shop.make(name="orders")

    @shop.service.on("orders.OrderPlaced")
    async def placed(event: Any) -> None:
        got.append(event.sku)

    await shop.start()
    await desk.tell("bad")
    await desk.waiting(1)
    desk.broken = False
    await desk.redrive()
    await desk.has("bad")
    await desk.tell("good")
    await desk.has("bad", "good")

    async def both() -> bool:
        return len(got) >= 2

    await until(both)
    assert got == ["bad", "good"]


async def test_one_that_dies_again_goes_on_holding_them(queue: Desk) -> None:
    """There is one letter of the key, however often it is redriven."""
    first = await behind(queue)
    await queue.redrive()

    async def again() -> bool:
        async with queue.database.reading() as session:
            [letter] = await letters.page(session, WAITING) or [first]
        return letter.after_letter == first.id and letter.holds

    await until(again)
    assert queue.seen == ["other"]
    queue.broken = False
    await queue.redrive(run="r2")
    await queue.has("other", "bad", "b", "c")
    assert queue.seen == ["other", "bad", "b", "c"]


async def test_an_edited_one_has_its_turn_too(queue: Desk) -> None:
    """Although it is another message, with another key."""
    letter = await behind(queue)
    async with queue.database.transaction() as session:
        body = (await letters.bodies(session, [letter.id]))[letter.id]
        changed = edited(letter, body, {}, "mended")
        changed.value = b'{"order_id": "%s", "sku": "mended"}' % ORDER.encode()
        assert await store(session, letter, body, changed, "ada")
    await queue.redrive()
    await queue.has("other", "mended", "b", "c")
    assert queue.seen == ["other", "mended", "b", "c"]


async def test_they_go_on_behind_one_that_is_discarded(queue: Desk) -> None:
    """Its consumer is told; other consumers are not."""
    await behind(queue)
    bus = queue.shop.bus
    assert await discard_letters(queue.database, bus, WAITING, "r1", "ada", None) == 1
    await queue.has("other", "b", "c")
    assert queue.seen == ["other", "b", "c"]


async def test_a_service_that_gives_up_its_order_lets_them_go_on(queue: Desk) -> None:
    """Nothing is held for ever by a policy that is no more."""
    await behind(queue)
    await queue.shop.stop()
    queue.shop.service = queue.shop.make(order="blocking")

    @queue.shop.service.on("orders.OrderPlaced")
    async def placed(event: Any) -> None:
        queue.seen.append(event.sku)

    await queue.shop.start()
    await queue.has("other", "b", "c")


async def test_discarded_letters_are_nobody_s(desk: Desk) -> None:
    """They are seen, and not sent."""
    await desk.tell("bad")
    [letter] = await desk.waiting(1)
    assert await discard_letters(desk.database, None, WAITING, "r1", "ada", "a test") == 1
    assert (await desk.redrive()).redriven == 0
    async with desk.database.reading() as session:
        assert [d.note for d in await letters.deeds(session, letter.id)] == ["a test"]


@pytest.mark.parametrize("rate", [0.0, 8.0])
async def test_it_is_no_quicker_than_it_may_be(desk: Desk, rate: float) -> None:
    """So many letters a second."""
    await desk.died(*(f"bad-{n}" for n in range(6)))
    await desk.waiting(6)
    desk.broken = False
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await desk.redrive(rate=rate)).redriven == 6
    assert not rate or loop.time() - began >= 5 / rate
