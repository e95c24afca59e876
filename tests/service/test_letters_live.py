"""What a service gives up, from the index back to the service: in process and on the servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from orchestrator.store import letters
from orchestrator.store.letter_choice import Choice
from tests.service.conftest import ORDER, Shop
from tests.service.desk import Desk, behind, desk_of


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


async def test_a_letter_is_indexed_and_sent_again(desk: Desk) -> None:
    """With all that is known of it; under its id, to the group that gave it up."""
    await desk.tell("good", "bad")
    [letter] = await desk.waiting(1)
    assert (letter.flow, letter.topic, letter.consumer) == (
        "shop",
        desk.shop.orders,
        "inventory-events",
    )
    assert (letter.type, letter.message_id, letter.key) == ("orders.OrderPlaced", "bad", "bad")
    assert (letter.disposition, letter.error) == ("exhausted", "builtins.ConnectionError")
    assert letter.place is not None and letter.place.startswith("desk.py:")
    desk.broken = False
    report = await desk.redrive()
    assert (report.redriven, report.stopped, report.refused) == (1, None, {})
    await desk.has("good", "bad")
    [settled] = await desk.waiting(1, Choice())
    assert settled.state == "redriven"
    async with desk.database.reading() as session:
        [deed] = await letters.deeds(session, letter.id)
    assert (deed.deed, deed.who, deed.note) == ("redriven", "ada", "run r1")


async def test_of_two_who_redrive_at_once_one_does(desk: Desk) -> None:
    """Each letter is sent once, whoever sends it."""
    await desk.died(*(f"bad-{n}" for n in range(20)))
    await desk.waiting(20)
    desk.broken = False
    done = await asyncio.gather(*(desk.redrive(run=f"r{n}") for n in range(3)))
    assert sum(report.redriven for report in done) == 20
    await desk.has(*(f"bad-{n}" for n in range(20)))
    again = await desk.redrive()
    assert again.redriven == 0


async def test_later_ones_of_its_key_queue_behind_a_letter(queue: Desk) -> None:
    """And follow it in their order when it is redriven, also over a restart of the service."""
    await behind(queue)
    await queue.shop.stop()
    await queue.shop.start()
    queue.broken = False
    assert (await queue.redrive()).redriven == 1
    await queue.has("other", "bad", "b", "c")
    assert queue.seen == ["other", "bad", "b", "c"]
    await queue.shop.tell("d", key="bad", data={"order_id": ORDER, "sku": "d"})
    await queue.has("other", "bad", "b", "c", "d")
