"""A worker whose servers go away while it starts: it waits for them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from temporalio.client import Client

from orchestrator.messaging.bus import AwayError, Reader, Start
from orchestrator.messaging.memory import MemoryBus
from orchestrator.runtime import events, replies, worker
from orchestrator.runtime.connect import TemporalError
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.runtime.eventually import eventually
from tests.runtime.world import World

_FLOW = """
module NAME

service NAMEfeed {
  publisher: outside
  event Moved key id { id: string }
}

saga NAMEFollow(id: string) -> string key id within 2m {
  await NAMEfeed.Moved as moved
  return moved.id
}
"""


class Leaving(MemoryBus):
    """A bus that has gone away at the moment a consumer opens, until it was asked `until` times,
    and for events until it is `back`."""

    def __init__(self, until: int) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()
        self.back = asyncio.Event()
        self._until = until

    async def reader(
        self, topics: Sequence[str], group: str, *, start: Start = "earliest"
    ) -> Reader:
        """See `Bus`."""
        self.asked[group] += 1
        if self.asked[group] < self._until or (group == events.GROUP and not self.back.is_set()):
            raise AwayError("the bus does not answer")
        return await super().reader(topics, group, start=start)


async def test_a_worker_waits_for_what_goes_away(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka, when it opens its consumers; Temporal, when it begins to serve a version: it tries
    again, and then serves as if nothing had been."""
    asked, check = 0, worker.check

    async def answers(client: Client) -> None:
        nonlocal asked
        asked += 1
        if asked < 2:
            raise TemporalError("Temporal does not answer")
        await check(client)

    monkeypatch.setattr(worker, "check", answers)
    async with Database(f"sqlite:///{tmp_path}/store.db") as database, Leaving(3) as bus:
        await migrate(database.engine)
        world = World("leaving", client, bus, database)
        await world.deploy(_FLOW)
        await world.start_worker()
        await eventually(lambda: world.worker.waits, "whoever asks hears that it waits")
        bus.back.set()
        id = await world.start("Follow", "k")
        await world.event("feed.Moved", "k", "moved-1")
        assert (await world.end(id)).result == "k"
        assert world.worker.waits is None
        await world.stop_worker()
    assert asked == 2
    assert bus.asked[replies.GROUP] == 3 <= bus.asked[events.GROUP]


async def test_a_worker_that_waits_can_be_stopped(client: Client, tmp_path: Path) -> None:
    """It does not wait for a bus that stays away."""
    async with Database(f"sqlite:///{tmp_path}/store.db") as database, Leaving(10**9) as bus:
        await migrate(database.engine)
        stop = asyncio.Event()
        running = asyncio.create_task(worker.SagaWorker(client, bus, database).run(stop))
        while not bus.asked:  # noqa: ASYNC110 - the bus tells nobody
            await asyncio.sleep(0.01)
        stop.set()
        async with asyncio.timeout(30):
            await running
