"""`idempotent by key` and `by version`: one effect, whatever the messages' ids."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from orchestrator.messaging.envelope import Envelope, from_record
from orchestrator.service import Service, ServiceError, Stale, Version
from orchestrator.service.retention import Keys, Retention
from orchestrator.store.database import Database
from tests.service.conftest import ORDER, Shop, check, shelves


@dataclass
class Calls:
    """What a handler was called with, and what it has to wait for."""

    commands: list[Any] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    refuse: bool = False


def restocking(shop: Shop) -> Calls:
    """A handler that puts a row on the shelf, each call another one."""
    calls = Calls()
    calls.gate.set()
    messages, failures = shop.service.messages, shop.service.failures

    @shop.service.handles("Restock")
    async def restock(command: Any, session: Any, context: Any) -> Any:
        calls.commands.append(command)
        await calls.gate.wait()
        row = {"sku": context.message_id, "on_hand": command.quantity, "version": 1}
        await session.execute(insert(shelves).values(row))
        context.publish(messages.StockReleased(order_id=ORDER))
        if calls.refuse:
            raise failures.Refused(order_id=command.order_id, reason="full")
        return messages.Restocked(order_id=command.order_id, receipt=f"for {context.message_id}")

    return calls


def restock(shop: Shop, id: str, **changes: Any) -> Envelope:
    """A Restock command under a message id."""
    data = {
        "order_id": ORDER,
        "sku": "a",
        "delivery": "d1",
        "weight": "1.5",
        "quantity": 5,
        **changes,
    }
    saga = f"Restocking/{id}"
    return shop.command(
        id, type="inventory.Restock", key=f"key of {id}", correlation_id=saga, data=data
    )


def count(shop: Shop, id: str, version: int, on_hand: int) -> Envelope:
    """A Count command under a message id."""
    data = {"order_id": ORDER, "sku": "a", "version": version, "on_hand": on_hand}
    return shop.command(id, type="inventory.Count", data=data)


async def shelf(shop: Shop) -> dict[str, tuple[int, int]]:
    """`on_hand` and `version` by `sku`."""
    async with Database(shop.url) as database, database.reading() as session:
        rows = await session.execute(select(shelves))
        return {row.sku: (row.on_hand, row.version) for row in rows}


async def replies(shop: Shop, count: int) -> dict[str, Envelope]:
    """The next replies, by the command that they answer; events are passed over."""
    found: dict[str, Envelope] = {}
    while len(found) < count:
        for record in await shop.next():
            if record.topic == shop.replies:
                envelope = from_record(record)
                found[envelope.causation_id or ""] = envelope
    return found


async def test_a_second_command_with_the_key_gets_the_answer_of_the_first(shop: Shop) -> None:
    """Addressed to itself, and remembered under its own id; the handler ran once, the event was
    published once."""
    calls = restocking(shop)
    await shop.start()
    await shop.send(restock(shop, "one"))
    records = [from_record(r) for r in await shop.next(2)]
    await shop.send(restock(shop, "two", weight="1.50"))
    await shop.send(restock(shop, "two", weight="1.50"))
    records += [from_record(r) for r in await shop.next(2)]
    first = next(e for e in records if e.id == "one:reply")
    second, again = (e for e in records if e.id == "two:reply")
    assert second == again
    assert (second.correlation_id, second.causation_id) == ("Restocking/two", "two")
    assert second.type == first.type == "inventory.Restocked"
    assert (
        json.loads(second.data)
        == json.loads(first.data)
        == {"order_id": ORDER, "receipt": "for one"}
    )
    assert len(calls.commands) == 1
    assert await shelf(shop) == {"one": (5, 1)}


async def test_of_two_at_once_one_is_done(shop: Shop) -> None:
    """On different keys of the topic, so that nothing but the business key keeps them apart."""
    calls = restocking(shop)
    await shop.start()
    await shop.start()
    for n in range(6):
        await shop.send(restock(shop, f"c{n}", sku=f"s{n}"))
    found = await replies(shop, 6)
    assert len(calls.commands) == 1
    assert len({e.data for e in found.values()}) == 1
    assert len(await shelf(shop)) == 1


async def test_another_key_is_another_command(shop: Shop) -> None:
    """Every field of the key counts, and null is a value as any other."""
    calls = restocking(shop)
    await shop.start()
    await shop.send(restock(shop, "one"))
    await shop.send(restock(shop, "two", delivery="d2"))
    await shop.send(restock(shop, "three", weight=None))
    await shop.send(restock(shop, "four", weight=None))
    found = await replies(shop, 4)
    assert len(calls.commands) == 3
    assert found["three"].data == found["four"].data


async def test_a_declared_failure_leaves_the_key_free(shop: Shop) -> None:
    """Nothing was done: the next command with the key may succeed, the same message may not."""
    calls = restocking(shop)
    await shop.start()
    calls.refuse = True
    await shop.send(restock(shop, "one"))
    assert (await shop.reply()).type == "inventory.Refused"
    calls.refuse = False
    await shop.send(restock(shop, "two"))
    await shop.send(restock(shop, "one"))
    found = await replies(shop, 2)
    assert found["two"].type == "inventory.Restocked"
    assert found["one"].type == "inventory.Refused"
    assert await shelf(shop) == {"two": (5, 1)}


async def test_what_was_undone_can_be_done_again(shop: Shop) -> None:
    """The handler that undoes it frees the key, in its own transaction."""
    restocking(shop)

    @shop.service.handles("ReleaseStock")
    async def release(command: Any, session: Any) -> Any:
        key = {"delivery": "d1", "weight": Decimal("1.5")}
        assert await shop.service.free(session, "Restock", **key)
        assert not await shop.service.free(session, "Restock", **key)
        return shop.service.messages.StockReleased(order_id=command.order_id)

    await shop.start()
    await shop.send(restock(shop, "one"))
    await replies(shop, 1)
    order = {"order_id": ORDER}
    await shop.send(shop.command("undo", type="inventory.ReleaseStock", data=order))
    await replies(shop, 1)
    await shop.send(restock(shop, "two"))
    found = await replies(shop, 1)
    assert json.loads(found["two"].data)["receipt"] == "for two"


async def test_keys_are_known_until_they_are_old(shop: Shop) -> None:
    """Longer than messages: forever, if nobody says how long."""
    restocking(shop)
    await shop.start()
    await shop.send(restock(shop, "one"))
    await replies(shop, 1)
    never, old = asyncio.Event(), timedelta(seconds=-1)
    async with Database(shop.url) as database:
        for remember in ({}, {"inventory.Restock": timedelta(days=1)}, {"inventory.Count": old}):
            keys = Keys("inventory", remember)
            await Retention(database, timedelta(days=1), keys=keys).sweep(never)
        keys = Keys("inventory", {"inventory.Restock": old})
        assert await Retention(database, timedelta(days=1), keys=keys).sweep(never) == 1
    await shop.send(restock(shop, "two"))
    assert json.loads((await replies(shop, 1))["two"].data)["receipt"] == "for two"


def counting(shop: Shop) -> Calls:
    """A handler that sets what is on the shelf, if the shelf is as the sender knows it."""
    calls = Calls()
    messages, failures = shop.service.messages, shop.service.failures

    def stale(command: Any, stale: Stale) -> Any:
        return failures.Refused(order_id=command.order_id, reason=f"now {stale.found}")

    @shop.service.handles("Count", stale=stale)
    async def count(command: Any, version: Version) -> Any:
        calls.commands.append(command)
        mine = shelves.c.sku == command.sku
        new = await version.update(update(shelves).where(mine).values(on_hand=command.on_hand))
        return messages.Counted(order_id=command.order_id, version=new)

    return calls


async def stock(shop: Shop, version: int = 1) -> None:
    """Puts a row on the shelf."""
    async with Database(shop.url) as database, database.transaction() as session:
        await session.execute(insert(shelves).values(sku="a", on_hand=0, version=version))


async def test_a_command_applies_to_its_version_alone(shop: Shop) -> None:
    """The row is changed and its version counted up; a rival for the same version is answered
    that it is stale, and nothing is changed."""
    counting(shop)
    await shop.start()
    await stock(shop)
    await shop.send(count(shop, "one", 1, 7))
    assert json.loads((await shop.reply()).data) == {"order_id": ORDER, "version": 2}
    await shop.send(count(shop, "two", 1, 8))
    refused = await shop.reply()
    assert refused.type == "inventory.Refused"
    assert json.loads(refused.data)["reason"] == "now 2"
    await shop.send(count(shop, "three", 2, 9))
    assert json.loads((await shop.reply()).data)["version"] == 3
    assert await shelf(shop) == {"a": (9, 3)}


async def test_the_same_command_again_is_not_stale_but_done(shop: Shop) -> None:
    """Under another id it gets the recorded answer, also when others came in between."""
    calls = counting(shop)
    await shop.start()
    await stock(shop)
    await shop.send(count(shop, "one", 1, 7))
    first = await shop.reply()
    await shop.send(count(shop, "two", 2, 8))
    await shop.reply()
    await shop.send(count(shop, "again", 1, 7))
    again = await shop.reply()
    assert (again.type, again.data, again.causation_id) == (first.type, first.data, "again")
    assert len(calls.commands) == 2
    assert await shelf(shop) == {"a": (8, 3)}


async def test_a_row_that_is_missing_has_no_version(shop: Shop) -> None:
    """`found` tells it from one that is newer."""
    counting(shop)
    await shop.start()
    await shop.send(count(shop, "one", 1, 7))
    assert json.loads((await shop.reply()).data)["reason"] == "now None"


async def test_a_stale_answer_may_be_raised_or_a_reply(shop: Shop) -> None:
    """Where being late does not matter, it is a reply; what the contract does not know is none."""
    messages, failures = shop.service.messages, shop.service.failures

    def stale(command: Any, stale: Stale) -> Any:
        match command.on_hand:
            case 1:
                raise failures.Refused(order_id=command.order_id, reason="raised")
            case 2:
                return messages.Counted(order_id=command.order_id, version=5)
        return failures.OutOfStock(order_id=command.order_id, sku="a")

    @shop.service.handles("Count", stale=stale)
    async def count_late(command: Any, version: Version) -> Any:
        version.expect(5)

    await shop.start()
    for n in (3, 1, 2):
        await shop.send(count(shop, f"c{n}", 1, n))
    found = await replies(shop, 2)
    types = {id: envelope.type for id, envelope in found.items()}
    assert types == {"c1": "inventory.Refused", "c2": "inventory.Counted"}


async def test_of_rivals_at_once_one_is_applied(shop: Shop) -> None:
    """The others are stale; all are answered."""
    counting(shop)
    await shop.start()
    await shop.start()
    await stock(shop)
    for n in range(6):
        envelope = count(shop, f"c{n}", 1, n)
        await shop.send(
            shop.command(envelope.id, type=envelope.type, key=f"k{n}", data=envelope.data)
        )
    found = await replies(shop, 6)
    assert (
        sorted(e.type for e in found.values()) == ["inventory.Counted"] + ["inventory.Refused"] * 5
    )
    assert (await shelf(shop))["a"][1] == 2


class _Base(DeclarativeBase):
    pass


class Shelf(_Base):
    """A mapped class over the same table; SQLAlchemy counts its version."""

    __tablename__ = "shelves"
    sku: Mapped[str] = mapped_column(primary_key=True)
    on_hand: Mapped[int]
    version: Mapped[int] = mapped_column()
    __mapper_args__: ClassVar[dict[str, Any]] = {"version_id_col": version}


async def test_what_others_changed_meanwhile_is_read_again(shop: Shop) -> None:
    """A mapped row whose version somebody else has counted up between reading and writing: the
    handler runs again, and sees that it is stale."""
    seen: list[int] = []
    messages, failures = shop.service.messages, shop.service.failures

    def stale(command: Any, stale: Stale) -> Any:
        return failures.Refused(order_id=command.order_id, reason=f"now {stale.found}")

    @shop.service.handles("Count", stale=stale)
    async def count_mapped(command: Any, session: Any, version: Version) -> Any:
        row = await session.get(Shelf, command.sku)
        seen.append(row.version)
        version.expect(row.version)
        if len(seen) == 1:
            # In this very transaction: SQLite has no room for another writer. What the mapper
            # finds is the same.
            await session.execute(update(shelves).values(version=2, on_hand=100))
        row.on_hand = command.on_hand
        await session.flush()
        if len(seen) == 2:
            await session.execute(update(shelves).values(version=5))
        return messages.Counted(order_id=command.order_id, version=row.version)

    await shop.start()
    await stock(shop)
    await shop.send(count(shop, "one", 1, 7))
    assert json.loads((await shop.reply()).data) == {"order_id": ORDER, "version": 2}
    assert seen == [1, 1]
    await shop.send(count(shop, "two", 1, 8))
    assert json.loads((await shop.reply()).data)["reason"] == "now 5"


async def test_a_mapped_class_is_updated_as_a_table(shop: Shop) -> None:
    """By the name of its attribute or of its column."""
    messages = shop.service.messages

    @shop.service.handles("Count", stale=lambda command, stale: None)
    async def count_mapped(command: Any, given: Version) -> Any:
        mine = update(Shelf).where(Shelf.sku == command.sku)
        new = await given.update(mine.values(on_hand=command.on_hand))
        return messages.Counted(order_id=command.order_id, version=new)

    await shop.start()
    await stock(shop)
    await shop.send(count(shop, "one", 1, 7))
    assert json.loads((await shop.reply()).data)["version"] == 2
    assert await shelf(shop) == {"a": (7, 2)}


async def test_a_handler_that_compares_no_versions_is_an_accident(shop: Shop) -> None:
    """A promise of the contract that is not kept is no reply; it is undone."""
    calls = 0
    messages = shop.service.messages

    @shop.service.handles("Count", stale=lambda command, stale: None)
    async def count_blindly(command: Any, session: Any, version: Version) -> Any:
        nonlocal calls
        calls += 1
        await session.execute(update(shelves).values(on_hand=calls))
        if calls == 2:
            version.expect(1)
        return messages.Counted(order_id=command.order_id, version=2)

    await shop.start()
    await stock(shop)
    await shop.send(count(shop, "one", 1, 7))
    await shop.send(count(shop, "one", 1, 7))
    await shop.reply()
    assert calls == 2


@pytest.fixture
def service() -> Service:
    """A service without handlers."""
    return Service("inventory", program=check())


def test_a_handler_by_version_must_take_it(service: Service) -> None:
    """The declared strategy could not be kept."""
    with pytest.raises(ServiceError, match=r"must take `version`.*`idempotent by version version`"):

        @service.handles("Count", stale=lambda command, stale: None)
        async def count(command: Any) -> Any: ...


def test_a_handler_by_version_must_answer_what_is_stale(service: Service) -> None:
    """A sender who is late must not wait for ever."""
    with pytest.raises(ServiceError, match=r"stale version is answered with.*`Count` is"):

        @service.handles("Count")
        async def count(command: Any, version: Version) -> Any: ...


def test_a_stale_answer_is_no_coroutine(service: Service) -> None:
    """There is nothing to wait for."""

    async def stale(command: Any, stale: Stale) -> Any: ...

    with pytest.raises(ServiceError, match="must be a plain one"):

        @service.handles("Count", stale=stale)  # type: ignore[arg-type]
        async def count(command: Any, version: Version) -> Any: ...


def test_versions_belong_to_commands_that_declare_them(service: Service) -> None:
    """Nothing that the contract does not say is promised."""
    with pytest.raises(ServiceError, match=r"parameter `version`.*`session` and `context`"):

        @service.handles("Restock")
        async def restock(command: Any, version: Version) -> Any: ...

    with pytest.raises(ServiceError, match=r"`Restock` is not `idempotent by version`"):

        @service.handles("Restock", stale=lambda command, stale: None)
        async def restock_again(command: Any) -> Any: ...


async def test_a_key_is_freed_by_its_fields(service: Service) -> None:
    """Wrong ones are told, and so is a command without a key."""
    nowhere: Any = None
    with pytest.raises(ServiceError, match=r"key of `Restock` has the fields `delivery`, `weight`"):
        await service.free(nowhere, "Restock", delivery="d1")
    with pytest.raises(ServiceError, match="`Count` is not `idempotent by key`"):
        await service.free(nowhere, "Count", version=1)
