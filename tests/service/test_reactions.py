"""Handlers of events: each event has its effect once, in order, or is a dead letter."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert

from dsl.load import check_texts
from dsl.model import Program
from orchestrator.messaging.envelope import from_record
from orchestrator.service import Service, ServiceError
from tests.service.conftest import CONTRACT, ORDER, Shop, check, reservations, until


def reacting(shop: Shop) -> list[str]:
    """Registers a handler that writes a row for each event, and tells that the stock is low."""
    seen: list[str] = []
    messages = shop.service.messages

    @shop.service.on("orders.OrderPlaced")
    async def placed(event: Any, session: Any, context: Any) -> None:
        seen.append(event.sku)
        await session.execute(insert(reservations).values(id=event.sku))
        low = messages.StockLow(order_id=event.order_id, sku=event.sku, left=1)
        context.publish(low)

    return seen


async def test_an_event_has_its_effect_once(shop: Shop) -> None:
    """What is published because of it names it as its cause, under an id that no other service
    that reacts gives; a service may live from events alone."""
    seen = reacting(shop)
    await shop.start()
    await shop.tell("ev-1")
    await shop.tell("ev-1")
    await shop.tell("ev-2")
    first, second = [from_record(r) for r in await shop.next(2)]
    assert first.id == "ev-1:inventory:event:0"
    assert (first.type, first.causation_id) == ("inventory.StockLow", "ev-1")
    assert first.correlation_id == "PlaceOrder/1"
    assert second.causation_id == "ev-2"
    assert seen == ["ev-1", "ev-2"]
    assert await shop.reserved() == ["ev-1", "ev-2"]


async def test_a_command_and_an_event_may_have_one_id(shop: Shop) -> None:
    """They have groups of their own, and inboxes."""
    reacting(shop)
    messages = shop.service.messages

    @shop.service.handles("ReserveStock")
    async def reserve(command: Any) -> Any:
        return messages.StockReserved(order_id=command.order_id, reservation_id="r1")

    await shop.start()
    await shop.send(shop.command("same"))
    await shop.tell("same")
    found = sorted(from_record(r).type for r in await shop.next(2))
    assert found == ["inventory.StockLow", "inventory.StockReserved"]


async def test_a_handler_that_breaks_is_tried_again_and_its_key_waits(shop: Shop) -> None:
    """Nothing of a broken attempt is left, and later events of the key come after it."""
    seen: list[str] = []

    @shop.service.on("orders.OrderPlaced")
    async def placed(event: Any, session: Any) -> None:
        seen.append(event.sku)
        await session.execute(insert(reservations).values(id=f"{event.sku}/{len(seen)}"))
        if len(seen) < 3:
            raise RuntimeError("the shelf fell over")

    await shop.start()
    await shop.tell("ev-1")
    await shop.tell("ev-2")
    await until(lambda: _has(shop, 2))
    assert seen == ["ev-1", "ev-1", "ev-1", "ev-2"]
    assert await shop.reserved() == ["ev-1/3", "ev-2/4"]


async def test_an_event_that_cannot_be_handled_is_dead_lettered(shop: Shop) -> None:
    """After its attempts are used up; those of other keys are handled."""
    calls = 0

    @shop.service.on("orders.OrderPlaced")
    async def placed(event: Any, context: Any) -> None:
        nonlocal calls
        calls += 1
        if event.sku == "ev-1":
            raise RuntimeError("the shelf fell over")
        context.publish(shop.service.messages.StockLow(order_id=ORDER, sku="b", left=1))

    await shop.start()
    await shop.tell("ev-1")
    await shop.tell("ev-2", key="another")
    letter, event = sorted(await shop.next(2), key=lambda r: "dlt" not in r.topic)
    assert letter.topic == f"{shop.orders}.inventory-events-dlt"
    assert letter.header("disposition") == b"exhausted"
    assert letter.header("kafka_dlt-original-consumer-group") == b"inventory-events"
    assert letter.header("kafka_dlt-exception-message") == b"the shelf fell over"
    assert from_record(event).causation_id == "ev-2"
    assert calls == 3 + 1


async def test_what_cannot_be_read_or_changed_is_dead_lettered_at_once(shop: Shop) -> None:
    """A poisonous event, and another body under a known id; neither costs an attempt."""
    seen = reacting(shop)
    await shop.start()
    await shop.tell("bad", key="another", data={"order_id": 5})
    [letter] = await shop.next()
    assert letter.header("disposition") == b"poison"
    await shop.tell("ev-1")
    await shop.next()
    await shop.tell("ev-1", data={"order_id": ORDER, "sku": "another"})
    [letter] = await shop.next()
    assert letter.header("disposition") == b"rejected"
    assert seen == ["ev-1"]


async def test_an_event_that_waits_is_left_to_the_next_start(shop: Shop) -> None:
    """A service that stops does not wait for it, and does not lose it."""
    broken = asyncio.Event()
    shop.service = shop.make(pause="2s")

    @shop.service.on("orders.OrderPlaced")
    async def breaks(event: Any) -> None:
        broken.set()
        raise RuntimeError("the shelf fell over")

    await shop.start()
    await shop.tell("ev-1")
    async with asyncio.timeout(30):
        await broken.wait()
        await shop.stop()
    shop.service = shop.make()
    seen = reacting(shop)
    await shop.start()
    await shop.tell("ev-2")
    await until(lambda: _has(shop, 2))
    assert seen == ["ev-1", "ev-2"]


async def test_its_own_events_are_events_too(shop: Shop) -> None:
    """A bare name means the service's own before another's of that name; values are typed."""
    seen: list[Any] = []
    told = asyncio.Event()
    reacting(shop)

    @shop.service.on("StockLow")
    async def low(event: Any) -> None:
        seen.append(event)
        told.set()

    await shop.start()
    await shop.tell("ev-1")
    async with asyncio.timeout(30):
        await told.wait()
    assert seen[0] == shop.service.messages.StockLow(order_id=ORDER, sku="ev-1", left=1)


@pytest.fixture
def service() -> Service:
    """A service without handlers."""
    return Service("inventory", program=check())


def test_an_unknown_event_lists_the_known(service: Service) -> None:
    """At decoration, not at run time."""
    with pytest.raises(ServiceError, match=r"no event `orders.Placed`.*`orders.OrderPlaced`"):
        service.on("orders.Placed")


def test_a_name_that_means_two_events_is_refused() -> None:
    """Unless one of them is the service's own."""
    service = Service("outsider", program=_with_outsider())
    with pytest.raises(ServiceError, match=r"`StockLow` is .*inventory.StockLow.*in full"):
        service.on("StockLow")


def _with_outsider() -> Program:
    found = check_texts({"contracts.flow": CONTRACT + "\nservice outsider { }\n"})
    assert found.program is not None, found.diagnostics
    return found.program


def test_a_second_handler_of_an_event_is_refused(service: Service) -> None:
    """One event has one handler in a service."""

    @service.on("StockLow")
    async def one(event: Any) -> None: ...

    with pytest.raises(ServiceError, match=r"two handlers for `inventory\.StockLow`"):

        @service.on("inventory.StockLow")
        async def two(event: Any) -> None: ...


async def test_an_event_has_no_answer(shop: Shop) -> None:
    """What returns one, or a declared failure, is broken."""

    @shop.service.on("orders.OrderPlaced")
    async def placed(event: Any) -> Any:
        if event.sku == "ev-1":
            return shop.service.messages.StockLow(order_id=ORDER, sku="a", left=1)
        raise shop.service.failures.OutOfStock(order_id=ORDER, sku="a")

    await shop.start()
    await shop.tell("ev-1")
    await shop.tell("ev-2", key="another")
    told = {r.header("ce_id"): r.header("kafka_dlt-exception-message") for r in await shop.next(2)}
    assert b"returned `StockLow`" in (told[b"ev-1"] or b"")
    assert b"raised `OutOfStock`" in (told[b"ev-2"] or b"")


async def _has(shop: Shop, count: int) -> bool:
    return len(await shop.reserved()) >= count
