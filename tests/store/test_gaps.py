"""What is missing among numbered events, seen and skipped."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from orchestrator.store import gaps
from orchestrator.store.database import Database
from orchestrator.store.gaps import Gap, SkipError
from orchestrator.store.migrate import migrate
from orchestrator.store.sequences import Stream, orchestrator


class Desk:
    """The numbered events of one consumer, each placed in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def place(self, key: str, *numbers: int, patience: float = 60.0) -> None:
        """Events come, and early ones whose turn it is are taken."""
        for number in numbers:
            await self._place(key, number, patience)
            while True:
                async with self.database.reading() as session:
                    early = await orchestrator.turn(session, stream(key))
                if early is None:
                    break
                await self._place(key, early.number, patience)

    async def _place(self, key: str, number: int, patience: float) -> None:
        async with self.database.transaction() as session:
            await orchestrator.place(session, stream(key), number, {}, limit=10, patience=patience)

    async def give_up(self, key: str) -> None:
        """Its time is over."""
        async with self.database.transaction() as session:
            await orchestrator.give_up(session, stream(key))

    async def listed(self, whole: bool = False, type: str | None = None) -> list[Gap]:
        """As the command lists them."""
        async with self.database.reading() as session:
            return await gaps.listed(session, orchestrator, "sagas", type=type, whole=whole)

    async def skip(self, key: str, to: int | None = None) -> int | None:
        """The next number then."""
        async with self.database.transaction() as session:
            return (await gaps.skip(session, orchestrator, stream(key), to)).next


def stream(key: str) -> Stream:
    """The events of a key."""
    return Stream("sagas", "carrier.Scanned", key)


@pytest_asyncio.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    """A migrated database."""
    await migrate(database.engine)
    yield Desk(database)


async def test_only_what_is_missing_is_listed(desk: Desk) -> None:
    """The last to move first: what waits, and what was given up; all of them where that is asked
    for, and of one event alone."""
    await desk.place("whole", 1, 2)
    await desk.place("broken", 1, 3, patience=0.0)
    await desk.give_up("broken")
    await desk.place("waits", 1, 4, 3)
    found = await desk.listed()
    told = [(g.stream.key, g.next, g.waiting, g.first_waiting, g.given_up) for g in found]
    assert told == [("waits", 2, 2, 3, None), ("broken", 2, 0, None, 3)]
    assert [g.stream.key for g in await desk.listed(whole=True)] == ["waits", "broken", "whole"]
    assert len(await desk.listed(type="carrier.Scanned")) == 2
    assert await desk.listed(type="carrier.HandedIn") == []


async def test_a_skip_goes_on_with_what_waits(desk: Desk) -> None:
    """Without a number to the first that waits, else to the one behind the missing one."""
    await desk.place("k", 1, 4)
    assert await desk.skip("k") == 4
    await desk.place("k", 4)
    assert await desk.skip("k") == 6
    assert await desk.skip("k", 9) == 9
    await desk.place("k", 9)
    assert [g.next for g in await desk.listed(whole=True)] == [10]


async def test_a_consumer_that_took_nothing_begins_where_it_is_told(desk: Desk) -> None:
    """Without waiting for what may stand before."""
    await desk.place("k", 57)
    assert await desk.skip("k") == 57
    await desk.place("k", 57)
    assert [g.next for g in await desk.listed(whole=True)] == [58]


@pytest.mark.parametrize(
    ("key", "to", "sentence"),
    [
        ("unknown", 3, r"no numbered event `carrier.Scanned` with the key `unknown` has come"),
        ("k", 2, r"event 2 is not behind the missing one of .* which is 2"),
        ("k", 1, r"event 1 is not behind the missing one"),
        ("k", 5, r"event 4 of .* has come and waits: skip to that one"),
    ],
)
async def test_what_cannot_be_skipped_is_said(desk: Desk, key: str, to: int, sentence: str) -> None:
    """And nothing is changed."""
    await desk.place("k", 1, 4)
    before = await desk.listed(whole=True)
    with pytest.raises(SkipError, match=sentence):
        await desk.skip(key, to)
    assert await desk.listed(whole=True) == before
