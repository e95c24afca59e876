"""The parcel's programs, in process: scans that come late are counted in their order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dsl.model import TopicModel
from orchestrator.cli.participants import load_module
from orchestrator.messaging.envelope import Envelope, from_record, to_record
from orchestrator.messaging.memory import MemoryBus

FILE = Path(__file__).parents[2] / "flows" / "tracking" / "services.py"


def scan(number: int, place: str) -> Envelope:
    """A scan of the one parcel."""
    data = {"parcel": "p1", "number": number, "place": place}
    return Envelope(
        id=f"scan-{number}",
        type="carrier.Scanned",
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


@asynccontextmanager
async def _running(serve: Any, bus: MemoryBus) -> AsyncIterator[None]:
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(bus, stop))
    yield
    stop.set()
    await serving
