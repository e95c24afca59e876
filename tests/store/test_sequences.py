"""Numbered events: taken once and in turn, early ones kept, gaps that do not close."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from orchestrator.store.sequences import Place, Stream
from orchestrator.store.sequences import participant as sequences

STREAM = Stream("stock", "payments.PaymentSettled", "k")


class Desk:
    """Places events in one stream, each in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def place(self, number: int, *, limit: int = 10, patience: float = 60.0) -> Place:
        async with self.database.transaction() as session:
            record = {"n": number}
            return await sequences.place(
                session, STREAM, number, record, limit=limit, patience=patience
            )

    async def taken(self) -> list[int]:
        """The early ones whose turn has come, taken."""
        found: list[int] = []
        while True:
            async with self.database.reading() as session:
                early = await sequences.turn(session, STREAM)
            if early is None:
                return found
            assert early.record == {"n": early.number}
            assert await self.place(early.number) is Place.TAKEN
            found.append(early.number)

    async def given_up(self) -> list[int]:
        """What is given up now."""
        async with self.database.transaction() as session:
            return [e.number for e in await sequences.give_up(session, STREAM)]

    async def waiting(self) -> list[Stream]:
        """The streams that want attention."""
        async with self.database.transaction() as session:
            return await sequences.waiting(session, "stock", 10)

    async def missing(self) -> int | None:
        """The number that is awaited."""
        async with self.database.reading() as session:
            return await sequences.missing(session, STREAM)


@pytest_asyncio.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    """A migrated database."""
    await migrate(database.engine, "participant")
    yield Desk(database)


async def test_each_number_is_taken_once_and_in_turn(desk: Desk) -> None:
    """What came early is taken when those before it have come; what was taken or waits already is
    a duplicate."""
    found = [await desk.place(n) for n in (1, 1, 3, 4, 3)]
    assert found == [Place.TAKEN, Place.DUPLICATE, Place.EARLY, Place.EARLY, Place.DUPLICATE]
    assert await desk.taken() == []
    assert await desk.place(2) is Place.TAKEN
    assert await desk.taken() == [3, 4]
    assert await desk.place(4) is Place.DUPLICATE
    assert await desk.missing() == 5


@pytest.mark.parametrize("first", [0, 1])
async def test_a_stream_begins_with_nought_or_one(desk: Desk, first: int) -> None:
    """What comes after the first and stands before it is no duplicate: it was never taken."""
    assert await desk.place(first) is Place.TAKEN
    assert await desk.place(first - 1) is Place.STALE
    assert await desk.place(first + 1) is Place.TAKEN


async def test_what_is_rolled_back_was_not_taken(desk: Desk) -> None:
    """Its number is awaited as before."""
    with pytest.raises(RuntimeError):
        async with desk.database.transaction() as session:
            await sequences.place(session, STREAM, 1, {}, limit=1, patience=1.0)
            raise RuntimeError
    assert await desk.missing() is None
    assert await desk.place(1) is Place.TAKEN


async def test_a_gap_that_does_not_close_is_given_up(desk: Desk) -> None:
    """All that waits behind it, and whatever comes behind it later, until the missing one comes and
    the sequence has caught up."""
    await desk.place(1)
    assert await desk.place(3, patience=0.0) is Place.EARLY
    await desk.place(5)
    assert await desk.waiting() == [STREAM]
    assert await desk.given_up() == [3, 5]
    assert await desk.waiting() == []
    assert await desk.place(6) is Place.BEHIND
    assert await desk.missing() == 2
    # Redriven in their order, they are taken.
    found = [await desk.place(n) for n in (2, 3, 4, 5, 6, 8)]
    assert found == [Place.TAKEN] * 5 + [Place.EARLY]


async def test_a_gap_that_has_time_left_is_not_given_up(desk: Desk) -> None:
    """Nothing wants attention, and nothing is taken away."""
    await desk.place(1)
    await desk.place(3)
    assert await desk.waiting() == []
    assert await desk.given_up() == []
    await desk.place(2)
    assert await desk.taken() == [3]


async def test_a_stream_that_nothing_was_taken_of_begins_where_it_can(desk: Desk) -> None:
    """A consumer that is younger than the stream does not wait for what is past."""
    await desk.place(58, patience=0.0)
    await desk.place(57, patience=0.0)
    assert await desk.waiting() == [STREAM]
    assert await desk.given_up() == []
    assert await desk.taken() == [57, 58]
    assert await desk.place(56) is Place.STALE
    assert await desk.place(59) is Place.TAKEN


async def test_what_a_consumer_left_behind_is_found(desk: Desk) -> None:
    """One that died between an event and the early one behind it."""
    await desk.place(1)
    await desk.place(3)
    await desk.place(2)
    assert await desk.waiting() == [STREAM]
    assert await desk.given_up() == []
    assert await desk.taken() == [3]


async def test_what_waits_is_bounded(desk: Desk) -> None:
    """What is too much stands behind the gap as what was given up."""
    await desk.place(1)
    found = [await desk.place(n, limit=2) for n in (3, 4, 5, 6)]
    assert found == [Place.EARLY, Place.EARLY, Place.FULL, Place.BEHIND]
    assert await desk.place(2) is Place.TAKEN
    assert await desk.taken() == [3, 4]
    assert await desk.place(5) is Place.TAKEN


async def test_what_is_given_up_in_its_turn_is_missing(desk: Desk) -> None:
    """Those behind it are given up, too, until it comes again."""
    await desk.place(1)
    async with desk.database.transaction() as session:
        await sequences.block(session, STREAM, 2)
    assert await desk.place(3) is Place.BEHIND
    assert [await desk.place(n) for n in (2, 3, 5)] == [Place.TAKEN, Place.TAKEN, Place.EARLY]


async def test_a_person_may_skip_what_will_not_come(desk: Desk) -> None:
    """The sequence goes on behind it."""
    await desk.place(1)
    await desk.place(3)
    async with desk.database.transaction() as session:
        await sequences.skip(session, STREAM, 3)
    assert await desk.taken() == [3]
    assert await desk.place(2) is Place.DUPLICATE


async def test_two_at_once_are_not_both_taken(desk: Desk) -> None:
    """Whoever comes second sees what the first has done."""
    found = await asyncio.gather(*(desk.place(n) for n in (1, 1, 2, 2, 1)))
    found += [await desk.place(2)]
    assert found.count(Place.TAKEN) + len(await desk.taken()) == 2


async def test_streams_that_rest_are_forgotten(desk: Desk) -> None:
    """Not those in which something waits."""
    await desk.place(1)
    await desk.place(3)
    later = datetime.now(UTC) + timedelta(days=1)
    async with desk.database.transaction() as session:
        assert await sequences.remove("stock", session, later, 10) == 0
    await desk.place(2)
    await desk.taken()
    async with desk.database.transaction() as session:
        assert await sequences.remove("stock", session, later, 10) == 1
    assert await desk.missing() is None
