"""The parcel's programs, in process: scans that come late are counted in their order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from dsl.model import TopicModel
from orchestrator.cli.participants import load_module
from orchestrator.messaging.envelope import Envelope, from_record, to_record
from orchestrator.messaging.memory import MemoryBus
from tests.runtime.eventually import eventually

FILE = Path(__file__).parents[2] / "flows" / "tracking" / "services.py"


def scan(number: int, place: str) -> Envelope:
    """A scan of the one parcel."""
    return told("carrier.Scanned", number, number=number, place=place)


def told(type: str, nth: int, **fields: Any) -> Envelope:
    """An event of the one parcel."""
    data = {"parcel": "p1", **fields}
    return Envelope(
        id=f"event-{nth}",
        type=type,
        source="/carrier",
        time=datetime.now(UTC),
        key="p1",
        data=json.dumps(data).encode(),
    )


async def test_scans_are_taken_in_their_order(tmp_path: Path) -> None:
    """Each once; the news go out in that order."""
    notices = load_module(FILE).notices
    async with MemoryBus() as bus:
        names = ("tracking.scans", "tracking.news")
        await bus.create_topics([TopicModel(name=name, partitions=6) for name in names])
        news = await bus.tap(["tracking.news"])
        for each in (scan(1, "depot"), scan(3, "door"), scan(1, "depot"), scan(2, "van")):
            await bus.publish(to_record(each, "tracking.scans"))
        stop = asyncio.Event()
        url = f"sqlite:///{tmp_path}/notices.db"
        serving = asyncio.create_task(notices.serve(bus, url, stop=stop))
        places: list[str] = []
        async with asyncio.timeout(30):
            while len(places) < 3:
                places += [json.loads(from_record(r).data)["place"] for r in await news.poll(9, 5)]
        stop.set()
        await serving
    assert places == ["depot", "van", "door"]


async def test_scans_are_put_on_the_boards() -> None:
    """Without a database; a second run has nothing left to do."""
    boards = load_module(FILE.with_name("boards.py"))
    async with MemoryBus() as bus:
        await bus.create_topics([boards.SCANS, boards.BOARDS])
        shown = await bus.tap([boards.BOARDS.name])
        for each in (scan(1, "depot"), scan(2, "van")):
            await bus.publish(to_record(each, "tracking.scans"))
        lines: list[str] = []
        async with _running(boards.serve, bus), asyncio.timeout(30):
            while len(lines) < 2:
                lines += [r.value.decode() for r in await shown.poll(9, 5)]
        async with _running(boards.serve, bus):
            assert await shown.poll(9, 0.3) == []
    assert lines == ["p1 is here"] * 2


async def test_a_place_that_is_unknown_holds_up_no_other(tmp_path: Path) -> None:
    """Letters are counted behind the one that waits, of its own parcel too; that one is counted
    when somebody has entered its place."""
    statistics, rows = load_module(FILE).statistics, create_engine(f"sqlite:///{tmp_path}/s.db")
    statistics.metadata.create_all(rows)
    with rows.begin() as session:
        session.execute(text("INSERT INTO regions VALUES ('Oslo', 'north', 0)"))

    def counted(place: str) -> int:
        with rows.connect() as session:
            found = session.execute(
                text("SELECT letters FROM regions WHERE place = :p"), {"p": place}
            )
            return int(found.scalar_one())

    async with MemoryBus() as bus:
        await bus.create_topics([TopicModel(name="tracking.news", partitions=6)])
        for number, place in enumerate(("Bergen", "Oslo", "Oslo")):
            await bus.publish(
                to_record(told("notices.Notified", number, place=place), "tracking.news")
            )
        async with _running(lambda b, stop: statistics.serve(b, str(rows.url), stop=stop), bus):
            await eventually(lambda: counted("Oslo") == 2, "those behind it are counted")
            with rows.begin() as session:
                session.execute(text("INSERT INTO regions VALUES ('Bergen', 'west', 0)"))
            await eventually(lambda: counted("Bergen") == 1, "the one that waited is counted")
    rows.dispose()


async def test_the_book_has_one_line_below_the_other(tmp_path: Path) -> None:
    """In the order in which parcels of a partition were handed in."""
    book, rows = load_module(FILE).book, create_engine(f"sqlite:///{tmp_path}/b.db")

    def written() -> list[Any]:
        with rows.connect() as session:
            return list(session.execute(text("SELECT line, parcel FROM lines ORDER BY line")))

    async with MemoryBus() as bus:
        await bus.create_topics([TopicModel(name="tracking.scans", partitions=6)])
        for number in range(3):
            event = told("carrier.HandedIn", number, to="Ada")
            await bus.publish(to_record(event, "tracking.scans"))
        book.metadata.create_all(rows)
        async with _running(lambda b, stop: book.serve(b, str(rows.url), stop=stop), bus):
            await eventually(lambda: len(written()) == 3, "all are written")
    assert [tuple(row) for row in written()] == [(1, "p1"), (2, "p1"), (3, "p1")]
    rows.dispose()


@asynccontextmanager
async def _running(serve: Any, bus: MemoryBus) -> AsyncIterator[None]:
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(bus, stop))
    yield
    stop.set()
    await serving
