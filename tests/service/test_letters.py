"""What a service gives up, from the index back to the service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from dsl.model import TopicModel
from orchestrator.compile.plan import Plan
from orchestrator.messaging.deadletter import Disposition, dead_letter, dead_letter_topic
from orchestrator.messaging.envelope import to_record
from orchestrator.messaging.record import Record
from orchestrator.runtime.discard import discard_letters
from orchestrator.runtime.letter_edits import edited, store
from orchestrator.runtime.letters import Letters
from orchestrator.runtime.redrive import Redrive, Report
from orchestrator.store import letters
from orchestrator.store.database import Database
from orchestrator.store.letter_choice import Choice
from orchestrator.store.letters import OPEN, Letter
from orchestrator.store.migrate import migrate
from tests.service.conftest import ORDER, Shop, until

WAITING = Choice(states=OPEN)


class Desk:
    """A service whose handlers break for what is `bad`, and a person who looks at the index."""

    def __init__(self, shop: Shop, database: Database, order: str = "unordered") -> None:
        self.shop = shop
        self.database = database
        self.seen: list[str] = []
        self.broken = True
        self._stop = asyncio.Event()
        shop.service = shop.make(order=order)

        @shop.service.on("orders.OrderPlaced")
        async def placed(event: Any) -> None:
            if event.sku.startswith("bad") and self.broken:
                raise ConnectionError("the shelf is away")
            self.seen.append(event.sku)

    async def start(self) -> None:
        """The service, and what indexes its letters."""
        await self.shop.start()
        topics = tuple(TopicModel(name=n) for n in (self.shop.orders, self.shop.commands))
        plans = [Plan(module="shop", topics=topics)]
        index = Letters(self.shop.bus, self.database, lambda: plans)
        self._task = asyncio.create_task(index.run(self._stop))

    async def stop(self) -> None:
        """Its failure is one of the test."""
        self._stop.set()
        await self._task

    async def tell(self, *skus: str) -> None:
        """An event each, of keys of their own."""
        for sku in skus:
            await self.shop.tell(sku, key=sku, data={"order_id": ORDER, "sku": sku})

    async def died(self, *skus: str) -> None:
        """A letter of an event each, as if the service had given them up."""
        for sku in skus:
            data = json.dumps({"order_id": ORDER, "sku": sku}).encode()
            event = self.shop.command(
                sku, type="orders.OrderPlaced", key=sku, data=data, reply_to=None
            )
            read = to_record(event, self.shop.orders, 0)._replace(offset=0)
            group = "inventory-events"
            topic = dead_letter_topic(self.shop.orders, group)
            await self.shop.bus.publish(
                dead_letter(read, topic, "away", Disposition.EXHAUSTED, group)
            )

    async def waiting(self, count: int, choice: Choice = WAITING) -> list[Letter]:
        """Waits until so many letters are in the index."""
        found: list[Letter] = []

        async def enough() -> bool:
            nonlocal found
            async with self.database.reading() as session:
                found = await letters.page(session, choice)
            return len(found) >= count

        await until(enough)
        assert len(found) == count
        return found

    async def has(self, *skus: str) -> None:
        """Waits until these were handled, and nothing else."""

        async def all_of_them() -> bool:
            return len(self.seen) >= len(skus)

        await until(all_of_them)
        assert sorted(self.seen) == sorted(skus)

    async def redrive(self, choice: Choice = WAITING, **options: Any) -> Report:
        """As a person does."""

        async def no_step(_: Letter) -> str | None:
            raise AssertionError("no saga's step is among them")

        options = {"run": "r1", "who": "ada", "settle": 0.0, **options}
        return await Redrive(self.database, self.shop.bus, no_step, **options).run(choice)


@pytest_asyncio.fixture
async def desk(shop: Shop) -> AsyncIterator[Desk]:
    """Not started yet."""
    async with Database(shop.url) as database:
        await migrate(database.engine)
        made = Desk(shop, database)
        await made.start()
        yield made
        await made.stop()


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
    assert letter.place is not None and letter.place.startswith("test_letters.py:")
    desk.broken = False
    report = await desk.redrive()
    assert (report.redriven, report.stopped, report.refused) == (1, None, {})
    await desk.has("good", "bad")
    [settled] = await desk.waiting(1, Choice())
    assert settled.state == "redriven"
    async with desk.database.reading() as session:
        [deed] = await letters.deeds(session, letter.id)
    assert (deed.deed, deed.who, deed.note) == ("redriven", "ada", "run r1")


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


@pytest_asyncio.fixture
async def queue(shop: Shop) -> AsyncIterator[Desk]:
    """One where order is kept by key."""
    async with Database(shop.url) as database:
        await migrate(database.engine)
        made = Desk(shop, database, "ordered")
        await made.start()
        yield made
        await made.stop()


async def behind(queue: Desk) -> Letter:
    """A letter, two events of its key behind it, and one of another that is not held up."""
    await queue.tell("bad")
    [letter] = await queue.waiting(1)
    assert letter.holds
    for sku in ("b", "c"):
        await queue.shop.tell(sku, key="bad", data={"order_id": ORDER, "sku": sku})
    await queue.tell("other")
    await queue.has("other")
    return letter


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
