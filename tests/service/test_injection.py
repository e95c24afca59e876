"""What handlers are given, and what stands around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from orchestrator.messaging.envelope import from_record
from orchestrator.messaging.memory import MemoryBus
from orchestrator.service import Context, Handling, Proceed, Service, ServiceError
from orchestrator.service.runner import ServiceRunner
from tests.service.conftest import ORDER, Shop, check, reservations

_log: list[str] = []


class Gateway:
    """Lives as long as the service."""


class Book:
    """Lives as long as one handling; writes into its transaction."""

    def __init__(self, session: AsyncSession, context: Context, gateway: Gateway) -> None:
        self.session, self.context, self.gateway = session, context, gateway

    async def add(self) -> None:
        """A row for the message."""
        row = {"id": self.context.message_id}
        await self.session.execute(insert(reservations).values(row))


async def gateway() -> AsyncIterator[Gateway]:
    """Opened when it is first wanted, closed when the service stops."""
    _log.append("gateway opened")
    yield Gateway()
    _log.append("gateway closed")


def book(session: AsyncSession, context: Context, gateway: Gateway) -> Iterator[Book]:
    """Made for each handling."""
    _log.append(f"book opened for {context.message_id}")
    yield Book(session, context, gateway)
    _log.append("book closed")


@pytest.fixture
def log() -> list[str]:
    """What happened, in order."""
    _log.clear()
    return _log


@pytest.fixture
def service() -> Service:
    """A service without handlers."""
    return Service("inventory", program=check())


async def test_handlers_are_given_what_is_provided(shop: Shop, log: list[str]) -> None:
    """By type; what is made once is made when it is first wanted, and closed at the end."""
    messages, seen = shop.service.messages, []
    shop.service.provide(Gateway, gateway, once=True)
    shop.service.provide(Book, book)

    @shop.service.handles("ReserveStock")
    async def reserve(command: Any, shelf: Book, tx: AsyncSession, context: Any) -> Any:
        seen.append(shelf.gateway)
        assert (shelf.session, shelf.context) == (tx, context)
        await shelf.add()
        if context.message_id == "two":
            raise shop.service.failures.OutOfStock(order_id=command.order_id, sku="a")
        return messages.StockReserved(order_id=command.order_id, reservation_id="r1")

    await shop.start()
    for name in ("one", "two", "three"):
        await shop.send(shop.command(name))
    await shop.next(3)
    assert await shop.reserved() == ["one", "three"]
    await shop.stop()
    made = [f"book opened for {name}" for name in ("one", "two", "three")]
    assert [e for e in log if e.startswith("book opened")] == made
    assert log[0] == "gateway opened"
    assert log[-1] == "gateway closed"
    assert log.count("gateway opened") == 1
    assert log.count("book closed") == 3
    assert len(set(map(id, seen))) == 1


async def test_middleware_stands_around_handlers(shop: Shop, log: list[str]) -> None:
    """In the order of its registration, inside of the transaction; it sees the envelope, the reply
    and what is raised, and none of a delivery whose answer is recorded."""
    messages = shop.service.messages

    @shop.service.middleware
    async def outer(handling: Handling, proceed: Proceed) -> Any:
        log.append(f"outer: {handling.envelope.type} {handling.envelope.reply_to is not None}")
        try:
            reply = await proceed()
        except Exception as error:
            log.append(f"outer: {error}")
            raise
        log.append(f"outer: {type(reply).__name__}")
        return reply

    @shop.service.middleware
    async def inner(handling: Handling, proceed: Proceed) -> Any:
        await handling.session.execute(insert(reservations).values(id=handling.context.message_id))
        log.append(f"inner: {handling.message.order_id}")
        return await proceed()

    @shop.service.handles("ReserveStock")
    async def reserve(command: Any) -> Any:
        if command.note:
            raise shop.service.failures.OutOfStock(order_id=command.order_id, sku="a")
        return messages.StockReserved(order_id=command.order_id, reservation_id="r1")

    @shop.service.on("orders.OrderPlaced")
    async def placed(event: Any, context: Context) -> None:
        context.publish(messages.StockLow(order_id=ORDER, sku="a", left=1))

    await shop.start()
    await shop.send(shop.command("one"))
    await shop.reply()
    await shop.send(shop.command("one"))
    await shop.reply()
    one = ["outer: inventory.ReserveStock True", f"inner: {ORDER}", "outer: StockReserved"]
    assert log == one
    log.clear()
    data = {"order_id": ORDER, "lines": [], "note": "no"}
    await shop.send(shop.command("two", data=data))
    assert (await shop.reply()).type == "inventory.OutOfStock"
    two = ["outer: inventory.ReserveStock True", f"inner: {ORDER}", "outer: OutOfStock"]
    assert log == two
    assert await shop.reserved() == ["one"]
    log.clear()
    await shop.tell("ev-1")
    await shop.next()
    assert log == ["outer: orders.OrderPlaced False", f"inner: {ORDER}", "outer: NoneType"]


async def test_middleware_may_refuse(shop: Shop) -> None:
    """By a declared failure, which is an answer as the handler's own."""

    @shop.service.middleware
    async def closed(handling: Handling, proceed: Proceed) -> Any:
        if handling.envelope.correlation_id != "PlaceOrder/1":
            raise shop.service.failures.OutOfStock(order_id=ORDER, sku="closed")
        return await proceed()

    @shop.service.handles("ReserveStock")
    async def reserve(command: Any, session: Any, context: Any) -> Any:
        await session.execute(insert(reservations).values(id=context.message_id))
        return shop.service.messages.StockReserved(order_id=ORDER, reservation_id="r1")

    await shop.start()
    await shop.send(shop.command("one"))
    await shop.send(shop.command("two", correlation_id="PlaceOrder/2"))
    found = {e.causation_id: e.type for e in map(from_record, await shop.next(2))}
    assert found == {"one": "inventory.StockReserved", "two": "inventory.OutOfStock"}
    assert await shop.reserved() == ["one"]


def start(service: Service) -> None:
    """As far as a service gets without a server."""
    ServiceRunner(service, MemoryBus(), "sqlite://")


def test_what_nothing_provides_is_told_at_the_start(service: Service) -> None:
    """`provide` may come after the handler, so not before."""

    @service.handles("ReserveStock")
    async def reserve(command: Any, shelf: Book) -> Any: ...

    with pytest.raises(ServiceError, match=r"`ReserveStock` takes `shelf: Book`.*provide\(Book"):
        start(service)
    service.provide(Book, book)
    with pytest.raises(ServiceError, match=r"cannot provide(.|\n)*Gateway"):
        start(service)
    service.provide(Gateway, Gateway, once=True)
    start(service)


def test_a_plain_session_is_none_of_ours(service: Service) -> None:
    """The transaction's is asynchronous."""

    @service.handles("ReserveStock")
    async def reserve(command: Any, session: Session) -> Any: ...

    with pytest.raises(ServiceError, match="is an `AsyncSession`"):
        start(service)


def test_factories_say_what_they_take(service: Service) -> None:
    """Without annotations nobody knows."""

    @service.handles("ReserveStock")
    async def reserve(command: Any, shelf: Book) -> Any: ...

    service.provide(Book, lambda session: Book(session, session, session))
    with pytest.raises(ServiceError, match="session"):
        start(service)


def test_the_last_that_is_provided_counts(service: Service) -> None:
    """So that a test can put a fake in the place of the real one."""

    @service.handles("ReserveStock")
    async def reserve(command: Any, gateway: Gateway) -> Any: ...

    service.provide(Gateway, book)  # needs what nothing provides
    service.provide(Gateway, Gateway)
    start(service)


def test_middleware_of_another_shape_is_refused(service: Service) -> None:
    """At its registration."""
    with pytest.raises(ServiceError, match=r"async def f\(handling, proceed\)"):

        @service.middleware  # type: ignore[type-var]
        def sync(handling: Handling, proceed: Proceed) -> Any: ...

    with pytest.raises(ServiceError, match=r"async def f\(handling, proceed\)"):

        @service.middleware  # type: ignore[arg-type]
        async def short(handling: Handling) -> Any: ...


async def test_a_middleware_that_drops_the_reply_is_an_accident(shop: Shop) -> None:
    """Nothing is answered that the contract does not know."""
    calls = 0
    done = asyncio.Event()

    @shop.service.middleware
    async def forgetful(handling: Handling, proceed: Proceed) -> Any:
        nonlocal calls
        calls += 1
        reply = await proceed()
        done.set()
        return reply if calls > 1 else None

    @shop.service.handles("ReserveStock")
    async def reserve(command: Any, session: Any) -> Any:
        await session.execute(insert(reservations).values(id=f"call {calls}"))
        return shop.service.messages.StockReserved(order_id=ORDER, reservation_id="r1")

    await shop.start()
    await shop.send(shop.command())
    await shop.send(shop.command())
    assert (await shop.reply()).type == "inventory.StockReserved"
    assert await shop.reserved() == ["call 2"]
