"""A participant at work: one effect for each command, and the same answer every time."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text

from orchestrator.messaging.envelope import Envelope, ReplyTo, from_record, to_record
from orchestrator.messaging.record import Record
from orchestrator.service.retention import Retention
from orchestrator.store import inbox, outbox
from orchestrator.store.database import Database
from tests.service.conftest import ORDER, Shop, body, reservations

OTHERS = ("11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002")
"""Orders that other commands are about."""


def reserving(shop: Shop, *, low: bool = False) -> None:
    """Registers a handler that writes a row for each command."""
    messages = shop.service.messages

    @shop.service.handles("ReserveStock")
    async def reserve(command: Any, session: Any, context: Any) -> Any:
        await session.execute(insert(reservations).values(id=context.message_id))
        if low:
            context.publish(messages.StockLow(order_id=OTHERS[0], sku="a", left=1))
            context.publish(messages.StockLow(order_id=OTHERS[1], sku="b", left=2))
        return messages.StockReserved(order_id=command.order_id, reservation_id="r1")


async def test_a_command_is_answered(shop: Shop) -> None:
    """The reply goes where it was asked for and says what it answers."""
    reserving(shop)
    await shop.start()
    await shop.send(shop.command())
    [record] = await shop.next()
    got = from_record(record)
    assert (record.topic, record.partition) == (shop.replies, 1)
    assert got.id == "cmd-1:reply"
    assert got.type == "inventory.StockReserved"
    assert (got.correlation_id, got.causation_id, got.key) == ("PlaceOrder/1", "cmd-1", ORDER)
    assert got.source == "/services/inventory"
    assert got.traceparent == shop.command().traceparent
    assert json.loads(got.data) == {"order_id": ORDER, "reservation_id": "r1"}
    assert await shop.reserved() == ["cmd-1"]


async def test_a_redelivered_command_has_one_effect(shop: Shop) -> None:
    """The recorded answer is sent again, with the same id and value; the events were sent once."""
    reserving(shop, low=True)
    await shop.start()
    await shop.send(shop.command())
    first = [from_record(r) for r in await shop.next(3)]
    assert {e.id for e in first} == {"cmd-1:reply", "cmd-1:event:0", "cmd-1:event:1"}
    await shop.send(shop.command())
    await shop.send(shop.command(id="cmd-2"))
    again = [from_record(r) for r in await shop.next(4)]
    [reply] = [e for e in again if e.id.startswith("cmd-1")]
    assert reply in first
    assert await shop.reserved() == ["cmd-1", "cmd-2"]


async def test_what_is_older_than_it_remembers_is_forgotten(shop: Shop) -> None:
    """A message that comes again after that is new; what is younger is known."""
    reserving(shop, low=True)
    await shop.start()
    await shop.send(shop.command())
    await shop.next(3)
    never = asyncio.Event()
    async with Database(shop.url) as database:
        await published(database)
        assert await Retention(database, timedelta(days=1)).sweep(never) == 0
        old = timedelta(seconds=-1)
        assert await Retention(database, old, batch=2).sweep(never) == 1 + 2
        async with database.transaction() as session:
            assert await inbox.lookup(session, "inventory", "cmd-1", b"") is None


async def published(database: Database) -> None:
    """Waits until nothing is pending in the outbox."""
    async with asyncio.timeout(30):
        while True:
            async with database.reading() as session:
                if not await outbox.pending(session, range(outbox.BUCKETS), 1):
                    return
            await asyncio.sleep(0.02)


async def test_the_answer_goes_to_who_asks_now(shop: Shop) -> None:
    """A saga that asks again from another worker gets the recorded answer there."""
    reserving(shop)
    await shop.start()
    await shop.send(shop.command())
    assert (await shop.next())[0].partition == 1
    await shop.send(shop.command(reply_to=ReplyTo(shop.replies, 0)))
    assert (await shop.next())[0].partition == 0


async def test_events_go_to_their_topic_under_their_own_key(shop: Shop) -> None:
    """An event's key is its own value of the field that it declares, not the command's."""
    reserving(shop, low=True)
    await shop.start()
    await shop.send(shop.command())
    events = [r for r in await shop.next(3) if r.topic == shop.events]
    assert sorted((r.key, json.loads(r.value)["left"]) for r in events) == [
        *zip(OTHERS, (1, 2), strict=True)
    ]


async def test_a_declared_failure_is_an_answer(shop: Shop) -> None:
    """It undoes what the handler wrote, drops its events, and is recorded like a reply."""
    calls = 0
    messages, failures = shop.service.messages, shop.service.failures

    @shop.service.handles("ReserveStock")
    async def reserve(command: Any, session: Any, context: Any) -> Any:
        nonlocal calls
        calls += 1
        await session.execute(insert(reservations).values(id="half done"))
        context.publish(messages.StockLow(order_id=command.order_id, sku="a", left=1))
        raise failures.OutOfStock(order_id=command.order_id, sku="a")

    await shop.start()
    await shop.send(shop.command())
    first = await shop.reply()
    await shop.send(shop.command())
    assert await shop.reply() == first
    assert (first.type, first.id) == ("inventory.OutOfStock", "cmd-1:reply")
    assert (calls, await shop.reserved()) == (1, [])


async def test_an_accident_leaves_nothing_and_is_repeated(shop: Shop) -> None:
    """No answer and no record of it; the same id is new when the saga tries again."""
    calls = 0
    messages = shop.service.messages

    @shop.service.handles("ReserveStock")
    async def reserve(command: Any, session: Any) -> Any:
        nonlocal calls
        calls += 1
        await session.execute(insert(reservations).values(id=f"call {calls}"))
        if calls == 1:
            raise RuntimeError("the shelf fell over")
        return messages.StockReserved(order_id=command.order_id, reservation_id="r1")

    await shop.start()
    await shop.send(shop.command())
    await shop.send(shop.command())
    assert (await shop.reply()).type == "inventory.StockReserved"
    assert await shop.reserved() == ["call 2"]


async def test_a_wrong_answer_of_the_handler_is_an_accident(shop: Shop) -> None:
    """What the contract does not know is not sent, and the handler's writes are undone."""
    calls = 0
    messages = shop.service.messages

    @shop.service.handles("ReserveStock")
    async def reserve(command: Any, session: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            await session.execute(insert(reservations).values(id="wrong"))
            return messages.OutOfStock(order_id=command.order_id, sku="a")
        return messages.StockReserved(order_id=command.order_id, reservation_id="r1")

    await shop.start()
    await shop.send(shop.command())
    await shop.send(shop.command())
    assert (await shop.reply()).type == "inventory.StockReserved"
    assert await shop.reserved() == []


async def test_what_cannot_be_decoded_is_dead_lettered(shop: Shop) -> None:
    """With its reason, unchanged, and the next command is served."""
    reserving(shop)
    await shop.start()
    bad = [{"sku": "a", "quantity": "two", "price": "1"}]
    await shop.send(shop.command("bad", data=body(lines=bad)))
    await shop.send(shop.command("good"))
    letter, reply = sorted(await shop.next(2), key=lambda r: r.topic != _letters(shop))
    assert letter.topic == _letters(shop)
    assert letter.header("disposition") == b"poison"
    assert letter.header("kafka_dlt-original-topic") == shop.commands.encode()
    assert letter.header("kafka_dlt-original-consumer-group") == b"inventory"
    message = letter.header("kafka_dlt-exception-message")
    assert message == b'`lines[0].quantity` must be an int, not "two"'
    assert from_record(letter) == replace(shop.command("bad", data=letter.value), time=_any(letter))
    assert from_record(reply).causation_id == "good"


async def test_a_record_that_is_no_message_is_dead_lettered(shop: Shop) -> None:
    """Headers that are missing are named."""
    reserving(shop)
    await shop.start()
    await shop.bus.publish(Record(shop.commands, "k", b"hello"))
    [letter] = await shop.next()
    assert letter.topic == _letters(shop)
    assert letter.value == b"hello"
    assert b"ce_specversion" in (letter.header("kafka_dlt-exception-message") or b"")


async def test_another_body_under_a_known_id_is_refused(shop: Shop) -> None:
    """It goes to the dead letters as rejected and changes nothing."""
    reserving(shop)
    await shop.start()
    await shop.send(shop.command())
    await shop.reply()
    await shop.send(shop.command(data=body(note="changed")))
    [letter] = await shop.next()
    assert letter.header("disposition") == b"rejected"
    assert await shop.reserved() == ["cmd-1"]


async def test_a_command_that_comes_after_its_undo_has_no_effect(shop: Shop) -> None:
    """A worker that stood still may send it when its saga has long gone back. Nobody waits for its
    answer any more; others of its key are answered."""
    reserving(shop)

    @shop.service.handles("ReleaseStock")
    async def release(command: Any) -> Any:
        return shop.service.messages.StockReleased(order_id=command.order_id)

    await shop.start()
    undo = {"type": "inventory.ReleaseStock", "data": b'{"order_id": "%s"}' % ORDER.encode()}
    await shop.send(shop.command("cmd-1:undo", undoes="cmd-1", **undo))
    assert (await shop.reply()).id == "cmd-1:undo:reply"
    await shop.send(shop.command("cmd-1"))
    await shop.send(shop.command("cmd-2"))
    assert (await shop.reply()).id == "cmd-2:reply"
    assert await shop.reserved() == ["cmd-2"]


async def test_an_undo_leaves_the_answer_of_what_it_undoes(shop: Shop) -> None:
    """A command that was handled before its undo is answered again as it was."""
    reserving(shop)

    @shop.service.handles("ReleaseStock")
    async def release(command: Any) -> Any:
        return shop.service.messages.StockReleased(order_id=command.order_id)

    await shop.start()
    await shop.send(shop.command("cmd-1"))
    first = await shop.reply()
    undo = {"type": "inventory.ReleaseStock", "data": b'{"order_id": "%s"}' % ORDER.encode()}
    await shop.send(shop.command("cmd-1:undo", undoes="cmd-1", **undo))
    await shop.reply()
    await shop.send(shop.command("cmd-1"))
    assert await shop.reply() == first


async def test_other_types_are_ignored(shop: Shop) -> None:
    """A command without a handler here may be another program's; what follows is served."""
    reserving(shop)
    await shop.start()
    await shop.send(shop.command("other", type="inventory.ReleaseStock"))
    await shop.send(shop.command("good"))
    assert (await shop.reply()).causation_id == "good"


async def test_a_reply_to_nowhere_does_not_stop_the_service(shop: Shop) -> None:
    """The command has its effect, and the next one is served."""
    reserving(shop)
    await shop.start()
    await shop.send(shop.command("lost", reply_to=ReplyTo("no-such-topic", 0)))
    await shop.send(shop.command("beyond", reply_to=ReplyTo(shop.replies, 99)))
    await shop.send(shop.command("silent", reply_to=None))
    await shop.send(shop.command("good"))
    assert (await shop.reply()).causation_id == "good"
    assert await shop.reserved() == ["beyond", "good", "lost", "silent"]


async def test_typed_values_reach_the_handler(shop: Shop) -> None:
    """Defaults are filled in, enums and nested records are classes, times are Python's own."""
    seen: list[Any] = []
    messages = shop.service.messages

    @shop.service.handles("ReserveStock")
    async def reserve(command: Any) -> Any:
        seen.append(command)
        return messages.StockReserved(order_id=command.order_id, reservation_id="r1")

    await shop.start()
    await shop.send(shop.command(data=body(due="2026-01-02T03:04:05.123456789Z")))
    await shop.reply()
    [command] = seen
    assert isinstance(command, messages.ReserveStock)
    assert command.currency is messages.Currency.EUR
    assert command.note is None
    assert command.due == datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)
    assert type(command.due) is datetime
    assert isinstance(command.lines[0], messages.Line)
    assert str(command.lines[0].price) == "1.50"


async def test_two_instances_share_the_work(shop: Shop) -> None:
    """A duplicate that another instance gets finds the inbox row there, too."""
    reserving(shop)
    await shop.start()
    await shop.start()
    for n in range(6):
        for _ in range(2):
            await shop.send(shop.command(f"c{n}", key=f"k{n}"))
    replies = [from_record(r) for r in await shop.next(12)]
    assert sorted({e.causation_id for e in replies}) == [f"c{n}" for n in range(6)]
    assert await shop.reserved() == [f"c{n}" for n in range(6)]


async def test_a_command_sent_before_the_start_is_served(shop: Shop) -> None:
    """A participant that was away catches up."""
    reserving(shop)
    await shop.start()
    await shop.stop()
    await shop.bus.publish(to_record(shop.command(), shop.commands))
    await shop.start()
    await shop.send(shop.command("second"))
    seen = {e.causation_id for e in [from_record(r) for r in await shop.next(1)]}
    while "second" not in seen:
        seen |= {from_record(r).causation_id for r in await shop.next(1)}
    assert await shop.reserved() == ["cmd-1", "second"]


def _id(envelope: Envelope) -> str:
    return envelope.id


def _letters(shop: Shop) -> str:
    return f"{shop.commands}.inventory-dlt"


def _any(record: Record) -> Any:
    return from_record(record).time


async def test_how_long_a_handler_may_stand_still_is_the_services_own(shop: Shop) -> None:
    """PostgreSQL is told for each connection, and takes the locks from who is stopped."""
    messages = shop.service.messages
    found: list[Any] = []

    @shop.service.handles("ReserveStock")
    async def reserve(command: Any, session: Any) -> Any:
        if session.get_bind().dialect.name == "postgresql":
            limit = await session.execute(text("SHOW idle_in_transaction_session_timeout"))
            found.append(limit.scalar())
        return messages.StockReserved(order_id=command.order_id, reservation_id="r1")

    shop.service.still = timedelta(minutes=7)
    await shop.start()
    await shop.send(shop.command())
    await shop.reply()
    assert found in ([], ["7min"])
