"""What keeps the events in their order ends with those who receive them, and they with it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dsl.model import TopicModel
from orchestrator.messaging.memory import MemoryBus
from orchestrator.runtime.events import Events
from orchestrator.service.sequencer import Sequencer
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate


async def test_an_order_that_is_not_kept_ends_the_receiver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake there is no silence in which early events wait for ever."""

    async def look(_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Sequencer, "look", look)
    client: Any = None
    served: Any = SimpleNamespace(topics={"front.events"})
    async with MemoryBus() as bus, Database(f"sqlite:///{tmp_path}/store.db") as database:
        await migrate(database.engine)
        await bus.create_topics([TopicModel(name="front.events", partitions=1)])
        events = Events(bus, client, [], [served], database)
        with pytest.raises(RuntimeError, match="a bug"):
            async with asyncio.timeout(20):
                await events.run(asyncio.Event())
