"""The relay: what is committed is published, in order within an aggregate, whatever dies."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from dsl.model import TopicModel
from orchestrator.messaging.bus import Bus, BusError, Reader, UndeliverableError
from orchestrator.messaging.record import Record
from orchestrator.service.relay import Relay
from orchestrator.store import outbox
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from orchestrator.store.outbox import OutboxMessage

_numbers = itertools.count()


class Post:
    """A database with an outbox, a topic, and what arrived there."""

    def __init__(self, bus: Bus, database: Database, topic: str, tap: Reader) -> None:
        self.bus, self.database, self.topic, self._tap = bus, database, topic, tap
        self.arrived: list[Record] = []

    async def add(self, key: str, *ids: str, topic: str | None = None) -> None:
        """Commits messages of an aggregate."""
        name = topic or self.topic
        messages = [OutboxMessage(i, name, key, "t", i.encode(), (("ce_id", i),)) for i in ids]
        async with self.database.transaction() as session:
            await outbox.add(session, messages)

    async def next(self, count: int) -> list[str]:
        """The ids of the next records that arrive."""
        found: list[str] = []
        while len(found) < count:
            records = await self._tap.poll(500, 15.0)
            assert records, f"only {len(found)} of {count} records came"
            self.arrived += records
            found += [r.value.decode() for r in records]
        return found

    async def pending(self) -> list[str]:
        """The ids of what is not marked as published, held aggregates left out."""
        async with self.database.transaction() as session:
            found = await outbox.pending(session, range(outbox.BUCKETS), 10_000)
        return [p.message.id for p in found]

    async def emptied(self) -> None:
        """Waits until nothing is pending."""
        async with asyncio.timeout(40):
            while await self.pending():  # noqa: ASYNC110 - of what a database holds no event tells
                await asyncio.sleep(0.02)


class Through:
    """A bus of which only `publish_all` is used, done in another way."""

    def __init__(self, publish: Callable[[Record], Awaitable[None]]) -> None:
        self._publish = publish

    async def publish_all(self, records: Sequence[Record]) -> dict[int, BusError]:
        """One after the other."""
        failed: dict[int, BusError] = {}
        for place, record in enumerate(records):
            try:
                await self._publish(record)
            except BusError as error:
                failed[place] = error
        return failed


@asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[None]:
    """Relays at work."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for relay in relays:
            group.create_task(relay.run(stop))
        try:
            yield
        finally:
            stop.set()


@pytest_asyncio.fixture
async def post(world: Callable[[], Awaitable[tuple[Bus, str]]]) -> AsyncIterator[Post]:
    """In process with SQLite, or Kafka with PostgreSQL."""
    opened, url = await world()
    topic = f"relayed-{next(_numbers)}"
    async with opened as bus, Database(url) as database:
        await migrate(database.engine, "participant")
        await bus.create_topics([TopicModel(name=topic, partitions=3)])
        yield Post(bus, database, topic, await bus.tap([topic]))


async def test_many_relays_keep_the_order_of_each_aggregate(post: Post) -> None:
    """Each message arrives, those of a key in the order of their commits, while more are added."""
    keys, each = [f"k{n}" for n in range(20)], 20
    relays = [Relay(post.database, post.bus, buckets=3, batch=40, idle=0.02) for _ in range(4)]

    async def commits(key: str) -> None:
        for n in range(each):
            await post.add(key, f"{key}:{n}")

    async with running(*relays):
        await asyncio.gather(*(commits(key) for key in keys))
        await post.next(len(keys) * each)
        await post.emptied()
    for key in keys:
        mine = [r.value.decode() for r in post.arrived if r.key == key]
        assert mine == [f"{key}:{n}" for n in range(each)]


async def test_a_message_arrives_as_it_was_committed(post: Post) -> None:
    """Key, value and headers."""
    await post.add("k", "m1")
    async with running(Relay(post.database, post.bus)):
        await post.next(1)
    [record] = post.arrived
    assert (record.key, record.value, record.headers) == ("k", b"m1", (("ce_id", b"m1"),))


async def test_a_relay_that_dies_between_publishing_and_marking_loses_nothing(post: Post) -> None:
    """When its lease is over, another one publishes the same again, under the same ids."""
    await post.add("k", "m1", "m2")
    async with post.database.transaction() as session:
        buckets = await outbox.claim(session, "dead", 9, 1.0)
        first, _ = await outbox.pending(session, buckets, 10)
    await post.bus.publish(Record(post.topic, "k", first.message.payload))
    async with running(Relay(post.database, post.bus, idle=0.05)):
        assert await post.next(3) == ["m1", "m1", "m2"]
        await post.emptied()


async def test_a_relay_that_slept_through_its_lease_never_goes_ahead(post: Post) -> None:
    """What it publishes on waking up was published before: first arrivals keep their order."""
    await post.add("k", "m1", "m2", "m3")
    asleep, awake = asyncio.Event(), asyncio.Event()

    async def sleepy(record: Record) -> None:
        asleep.set()
        await awake.wait()
        await post.bus.publish(record)

    bus: Any = Through(sleepy)

    async def zombie() -> None:
        with pytest.raises(BusError, match="the bus acknowledged nothing within"):
            await Relay(post.database, bus, lease=0.5).round()

    async with asyncio.TaskGroup() as group:
        group.create_task(zombie())
        await asleep.wait()
        async with running(Relay(post.database, post.bus, idle=0.05)):
            assert await post.next(3) == ["m1", "m2", "m3"]
            await post.emptied()
            awake.set()
    firsts = list(dict.fromkeys(r.value.decode() for r in post.arrived))
    assert firsts == ["m1", "m2", "m3"]


async def test_a_refused_message_stops_its_aggregate_alone(post: Post) -> None:
    """And when the reason is gone, it goes on where it stopped."""
    missing = f"{post.topic}-later"
    await post.add("bad", "b1", "b2", topic=missing)
    await post.add("good", "g1")
    async with running(Relay(post.database, post.bus, idle=0.05)):
        assert await post.next(1) == ["g1"]
        await post.bus.create_topics([TopicModel(name=missing, partitions=1)])
        await post.emptied()
        tap = await post.bus.reader([missing], "late")
        found: list[bytes] = []
        async with asyncio.timeout(40):
            while len(found) < 2:
                found += [r.value for r in await tap.poll(10, 1.0)]
    assert found == [b"b1", b"b2"]


async def test_nothing_is_sent_behind_a_message_until_the_bus_has_it(post: Post) -> None:
    """Aggregates travel together, and the messages of one each in a turn of its own: what stands
    behind one that is refused has not arrived, although a batch was sent."""
    turns: list[list[str]] = []

    class Refusing:
        async def publish_all(self, records: Sequence[Record]) -> dict[int, BusError]:
            turns.append([r.value.decode() for r in records])
            refused = UndeliverableError("too large")
            return {n: refused for n, r in enumerate(records) if r.value == b"a2"}

    await post.add("a", "a1", "a2", "a3")
    await post.add("b", "b1", "b2", "b3")
    bus: Any = Refusing()
    assert await Relay(post.database, bus, buckets=outbox.BUCKETS).round() == 4
    assert [sorted(turn) for turn in turns] == [["a1", "b1"], ["a2", "b2"], ["b3"]]
    async with asyncio.timeout(40):
        while await post.pending() != ["a2", "a3"]:  # noqa: ASYNC110 - held for a moment
            await asyncio.sleep(0.02)


async def test_large_messages_travel_in_parts(post: Post) -> None:
    """So that little is sent again when the bus is too slow for the lease."""
    sizes: list[int] = []

    class Weighing:
        async def publish_all(self, records: Sequence[Record]) -> dict[int, BusError]:
            sizes.append(sum(len(r.value) for r in records))
            return {}

    bus: Any = Weighing()
    async with post.database.transaction() as session:
        for n in range(5):
            large = OutboxMessage(f"m{n}", post.topic, f"k{n}", "t", bytes(3 * 2**20))
            await outbox.add(session, [large])
    assert await Relay(post.database, bus, buckets=outbox.BUCKETS).round() == 5
    assert sizes == [6 * 2**20, 6 * 2**20, 3 * 2**20]


async def test_an_outage_of_the_bus_costs_nothing(post: Post) -> None:
    """What was refused for the moment is published when the bus is back."""
    outages = 3

    async def flaky(record: Record) -> None:
        nonlocal outages
        if outages:
            outages -= 1
            raise BusError("the bus is away")
        await post.bus.publish(record)

    bus: Any = Through(flaky)
    await post.add("k", "m1", "m2")
    async with running(Relay(post.database, bus, idle=0.02)):
        assert await post.next(2) == ["m1", "m2"]
        await post.emptied()


async def test_waking_a_relay_makes_it_look_at_once(post: Post) -> None:
    """It does not wait for the end of its pause."""
    relay = Relay(post.database, post.bus, idle=60.0)
    async with running(relay):
        await asyncio.sleep(0)
        await post.add("k", "m1")
        relay.wake()
        async with asyncio.timeout(30):
            assert await post.next(1) == ["m1"]


@pytest.mark.parametrize("count", [0, 3])
async def test_a_round_says_how_much_it_published(post: Post, count: int) -> None:
    """So that one knows when to pause."""
    await post.add("k", *(f"m{n}" for n in range(count)))
    assert await Relay(post.database, post.bus).round() == count
