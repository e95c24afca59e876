"""Numbered events are handed on in their order, in one transaction with what they do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.messaging.record import Record
from orchestrator.service.sequencer import SequenceError, Sequencer
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from orchestrator.store.sequences import Place, participant


class Desk:
    """A consumer of numbered events, and what it did and buried."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.done: list[Record] = []
        self.buried: list[tuple[int, str]] = []
        self.refused: set[int] = set()

    @property
    def numbers(self) -> list[int]:
        """The numbers of what was done."""
        return [int(r.value) for r in self.done]

    def process(self, patience: float = 60.0) -> Process:
        """One of this consumer's processes."""
        return Process(self, patience)


class Process:
    """Handles numbered events of one key."""

    def __init__(self, desk: Desk, patience: float) -> None:
        self.desk = desk
        self.sequencer = Sequencer(
            *(desk.database, participant, "stock", self._handle, self._bury),
            limit=3,
            patience=patience,
            every=0.01,
        )

    async def handle(self, *numbers: int) -> None:
        """Events as they come."""
        for number in numbers:
            await self._handle(event(number))

    async def _handle(self, record: Record) -> None:
        stream = self.sequencer.stream("payments.Settled", "k")
        following: Record | None = record
        while following is not None:
            work = partial(self._work, following)
            await self.sequencer.place(stream, int(following.value), following, work)
            following = await self.sequencer.turn(stream)

    async def _work(self, record: Record, _: AsyncSession) -> None:
        if int(record.value) in self.desk.refused:
            raise RuntimeError(f"no {int(record.value)}")
        self.desk.done.append(record)

    async def _bury(self, record: Record, reason: SequenceError) -> None:
        self.desk.buried.append((int(record.value), str(reason)))


def event(number: int) -> Record:
    """As it was read."""
    now = datetime.now(UTC)
    headers = (("ce_id", b"\xff\x00"), ("n", b"1"))
    return Record("events", "k", str(number).encode(), headers, 2, number, now)


@pytest_asyncio.fixture
async def desk(new_database: Callable[[], Awaitable[str]]) -> AsyncIterator[Desk]:
    """On each kind of database."""
    async with Database(await new_database()) as database:
        await migrate(database.engine, "participant")
        yield Desk(database)


async def test_events_are_handed_on_in_their_order(desk: Desk) -> None:
    """Each once, whichever process they come to."""
    one, other = desk.process(), desk.process()
    await one.handle(1, 3)
    await other.handle(4, 3)
    await one.handle(2, 2, 5)
    assert desk.numbers == [1, 2, 3, 4, 5]
    assert desk.buried == []
    assert one.sequencer.counts == {Place.TAKEN: 5, Place.EARLY: 1, Place.DUPLICATE: 1}


async def test_an_event_that_fails_is_awaited_as_before(desk: Desk) -> None:
    """The early ones behind it wait on; it has its turn when it comes again."""
    process = desk.process()
    desk.refused = {2}
    await process.handle(1, 3)
    with pytest.raises(RuntimeError, match="no 2"):
        await process.handle(2)
    desk.refused.clear()
    await process.handle(2)
    assert desk.numbers == [1, 2, 3]


async def test_a_gap_that_does_not_close_is_buried_with_its_reason(desk: Desk) -> None:
    """What waits behind it and what comes behind it later; when the missing one comes after all,
    the order goes on there."""
    process = desk.process(patience=0.0)
    await process.handle(1, 3, 4)
    await process.sequencer.look()
    await process.handle(5)
    assert [n for n, _ in desk.buried] == [3, 4, 5]
    assert desk.buried[0][1] == (
        "event 3 of key `k` came and event 2 before it did not, in the time that it had"
    )
    assert desk.buried[2][1] == (
        "event 5 of key `k` came behind a gap: event 2 is missing and others were given up for it"
    )
    await process.handle(2, 3, 4, 5, 6)
    assert desk.numbers == [1, 2, 3, 4, 5, 6]


async def test_what_is_too_much_is_buried(desk: Desk) -> None:
    """The buffer is bounded."""
    process = desk.process()
    await process.handle(1, 3, 4, 5, 6)
    assert [n for n, _ in desk.buried] == [6]
    assert "3 others wait already" in desk.buried[0][1]


async def test_what_a_process_left_is_taken_up(desk: Desk) -> None:
    """It died between an event and the early one behind it, which came whole from SQL."""
    first = desk.process()
    await first.handle(1, 3)
    desk.refused = {3}
    with pytest.raises(RuntimeError, match="no 3"):
        await first.handle(2)
    desk.refused.clear()
    stop = asyncio.Event()
    running = asyncio.create_task(desk.process().sequencer.run(stop))
    async with asyncio.timeout(20):
        while desk.numbers != [1, 2, 3]:  # noqa: ASYNC110 - of what another task did, no event tells
            await asyncio.sleep(0.01)
    stop.set()
    await running


async def test_a_driver_that_cancels_itself_ends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that broke may say so by a cancel; the next look is made all the same."""
    process, stop = desk.process(), asyncio.Event()
    looks = 0

    async def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise asyncio.CancelledError
        stop.set()

    monkeypatch.setattr(process.sequencer, "look", look)
    async with asyncio.timeout(20):
        await process.sequencer.run(stop)
    assert looks == 2


async def test_a_record_comes_back_from_sql_as_it_was(desk: Desk) -> None:
    """Its bytes and its place."""
    await desk.process().handle(2, 1)
    first, second = desk.done
    assert (first.value, second.value) == (b"1", b"2")
    assert second._replace(timestamp=None) == event(2)._replace(timestamp=None)
