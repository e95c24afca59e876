"""Events in their order and as often as their contract says, at a participant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from orchestrator.messaging.envelope import from_record
from orchestrator.service import ServiceError
from orchestrator.store.database import Database
from tests.service.conftest import ORDER, Shop, reservations, until


async def change(shop: Shop, *numbers: int) -> None:
    """Publishes numbered events, each under an id of its own."""
    for n in numbers:
        data = {"order_id": ORDER, "n": n}
        await shop.tell(f"ch-{n}", type="orders.Changed", data=data)


def following(shop: Shop, refused: set[int] | None = None) -> list[int]:
    """Registers a handler that writes a row for each number, and tells of it."""
    seen: list[int] = []

    @shop.service.on("orders.Changed")
    async def changed(event: Any, session: Any, context: Any) -> None:
        if event.n in (refused or ()):
            raise RuntimeError("the shelf fell over")
        await session.execute(insert(reservations).values(id=str(event.n)))
        seen.append(event.n)
        low = shop.service.messages.StockLow(order_id=ORDER, sku="a", left=event.n)
        context.publish(low)

    return seen


async def test_numbered_events_are_handled_in_their_order(shop: Shop) -> None:
    """Each once; early ones wait, whichever process they came to, and what is stale is visible."""
    seen = following(shop)
    await shop.start()
    await change(shop, 1, 3, 4, 3)
    await until(lambda: _is(shop, ["1"]))
    await shop.stop()
    await shop.start()
    await change(shop, 2, 1, 0)
    await until(lambda: _is(shop, ["1", "2", "3", "4"]))
    assert seen == [1, 2, 3, 4]
    [letter] = [r for r in await shop.next(4) if r.topic.endswith("-dlt")]
    assert letter.header("disposition") == b"rejected"
    assert from_record(letter).id == "ch-0"


async def test_a_gap_that_does_not_close_goes_to_the_dead_letters(shop: Shop) -> None:
    """With the number that is missing; sent again in their order, they are handled."""
    shop.service.gap = timedelta(milliseconds=1)
    seen = following(shop)
    await shop.start()
    await change(shop, 1, 3)
    _, letter = await shop.next(2)
    assert letter.topic == f"{shop.orders}.inventory-events-dlt"
    assert (
        letter.header("kafka_dlt-exception-message")
        == (
            f"event 3 of key `{ORDER}` came and event 2 before it did not, in the time that it had"
        ).encode()
    )
    assert letter.header("kafka_dlt-exception-fqcn") == (
        b"orchestrator.service.sequencer.SequenceError"
    )
    await change(shop, 2, 3)
    await until(lambda: _is(shop, ["1", "2", "3"]))
    assert seen == [1, 2, 3]


async def test_a_numbered_event_that_is_given_up_is_missing(shop: Shop) -> None:
    """Those behind it go where it went, until it is sent again."""
    refused = {2}
    seen = following(shop, refused)
    await shop.start()
    await change(shop, 1, 2, 3)
    _, second, third = await shop.next(3)
    assert (second.header("disposition"), third.header("disposition")) == (
        b"exhausted",
        b"rejected",
    )
    refused.clear()
    await change(shop, 2, 3)
    await until(lambda: _is(shop, ["1", "2", "3"]))
    assert seen == [1, 2, 3]


async def test_a_gap_is_no_gap_while_its_event_is_tried_again(shop: Shop) -> None:
    """The early ones wait for it, however long that takes."""
    shop.service = shop.make(pause="1s")
    shop.service.gap = timedelta(milliseconds=1500)
    refused = {2}
    seen = following(shop, refused)
    await shop.start()
    await change(shop, 1, 3, 2)
    [_, letter] = await shop.next(2)
    assert letter.header("disposition") == b"exhausted"
    [letter] = await shop.next()
    assert (from_record(letter).id, letter.header("disposition")) == ("ch-3", b"rejected")
    refused.clear()
    await change(shop, 2, 3)
    await until(lambda: _is(shop, ["1", "2", "3"]))
    assert seen == [1, 2, 3]


async def test_a_person_may_say_that_one_will_not_come(shop: Shop) -> None:
    """The sequence goes on behind it; only of an event that has one."""
    seen = following(shop)
    await shop.start()
    await change(shop, 1, 3)
    await shop.next()
    async with Database(shop.url) as database, database.transaction() as session:
        await shop.service.skip(session, "orders.Changed", ORDER, 3)
        with pytest.raises(ServiceError, match="has no `sequence`"):
            await shop.service.skip(session, "orders.OrderPlaced", ORDER, 3)
    await until(lambda: _is(shop, ["1", "3"]))
    assert seen == [1, 3]


async def test_at_most_once_is_tried_once(shop: Shop) -> None:
    """What fails leaves nothing, is not tried again and is no dead letter; what comes twice is
    handled once; and what is published so is published beside the outbox."""
    calls: list[str] = []
    messages = shop.service.messages

    @shop.service.on("orders.Looked")
    async def looked(event: Any, session: Any, context: Any) -> None:
        calls.append(event.sku)
        await session.execute(insert(reservations).values(id=event.sku))
        if event.sku == "bad":
            raise RuntimeError("the shelf fell over")
        context.publish(messages.Noticed(order_id=ORDER, sku=event.sku))

    await shop.start()
    for id in ("bad", "bad", "good", "good"):
        await shop.tell(id, type="orders.Looked")
    [event] = [from_record(r) for r in await shop.next()]
    assert (event.type, event.causation_id) == ("inventory.Noticed", "good")
    await until(lambda: _is(shop, ["good"]))
    await shop.tell("last", type="orders.Looked")
    [event] = [from_record(r) for r in await shop.next()]
    assert event.causation_id == "last"
    assert calls == ["bad", "good", "last"]


async def _is(shop: Shop, rows: list[str]) -> bool:
    return await shop.reserved() == rows
