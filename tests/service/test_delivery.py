"""Messages in their order and as often as their contract says, at a participant."""

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


def ringing(shop: Shop) -> list[str]:
    """Registers a handler of a command that is delivered at most once, and one that undoes it; the
    ids that were handled, in order."""
    handled: list[str] = []
    messages = shop.service.messages

    @shop.service.handles("Ring")
    async def ring(command: Any, session: Any, context: Any) -> Any:
        handled.append(context.message_id)
        await session.execute(insert(reservations).values(id=context.message_id))
        if context.message_id == "broken":
            raise RuntimeError("the rope is torn")
        if context.message_id == "refused":
            raise shop.service.failures.Refused(order_id=command.order_id, reason="it is late")
        return messages.Rung(order_id=command.order_id)

    @shop.service.handles("ReleaseStock")
    async def release(command: Any, context: Any) -> Any:
        handled.append(context.message_id)
        return messages.StockReleased(order_id=command.order_id)

    return handled


async def test_a_command_at_most_once_is_handled_once(shop: Shop) -> None:
    """One that breaks leaves nothing and is not handled when it comes again, nor answered; one
    that was answered, or refused, is answered again in the same way."""
    handled = ringing(shop)
    await shop.start()
    ring = {"type": "inventory.Ring", "data": {"order_id": ORDER}}
    for id in ("broken", "broken", "refused", "good", "refused", "good"):
        await shop.send(shop.command(id, **ring))
    answers = [from_record(r) for r in await shop.next(4)]
    assert [(a.causation_id, a.type) for a in answers] == [
        ("refused", "inventory.Refused"),
        ("good", "inventory.Rung"),
    ] * 2
    assert handled == ["broken", "refused", "good"]
    assert await shop.reserved() == ["good"]


async def test_a_command_at_most_once_that_was_undone_is_not_handled(shop: Shop) -> None:
    """Its undo came before it, or in place of an answer."""
    handled = ringing(shop)
    await shop.start()
    ring = {"type": "inventory.Ring", "data": {"order_id": ORDER}}
    undo = {"type": "inventory.ReleaseStock", "data": {"order_id": ORDER}}
    await shop.send(shop.command("early:undo", undoes="early", **undo))
    await shop.send(shop.command("early", **ring))
    await shop.send(shop.command("broken", **ring))
    await shop.send(shop.command("broken:undo", undoes="broken", **undo))
    await shop.send(shop.command("broken", **ring))
    answers = [from_record(r).causation_id for r in await shop.next(2)]
    assert answers == ["early:undo", "broken:undo"]
    await shop.send(shop.command("good", **ring))
    assert (await shop.reply()).causation_id == "good"
    assert handled == ["early:undo", "broken", "broken:undo", "good"]


async def test_a_command_exactly_once_has_one_effect_and_one_answer(shop: Shop) -> None:
    """However often it comes; a handler that breaks is asked again, and nothing of it is left."""
    calls: list[str] = []

    @shop.service.handles("Settle")
    async def settle(command: Any, session: Any, context: Any) -> Any:
        calls.append(context.message_id)
        await session.execute(insert(reservations).values(id=context.message_id))
        if len(calls) == 1:
            raise RuntimeError("the books fell down")
        return shop.service.messages.Rung(order_id=command.order_id)

    await shop.start()
    for _ in range(3):
        await shop.send(shop.command("one", type="inventory.Settle", data={"order_id": ORDER}))
    first, second = [from_record(r) for r in await shop.next(2)]
    assert (first.id, first.data) == (second.id, second.data)
    assert calls == ["one", "one"]
    assert await shop.reserved() == ["one"]


async def _is(shop: Shop, rows: list[str]) -> bool:
    return await shop.reserved() == rows
