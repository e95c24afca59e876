"""What a worker did in a workflow task that was lost is known again, and undone, when a cancel or
a deadline comes meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import Client

from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.chaos.processes import Command
from tests.runtime.world import World, after, silent, usual

pytestmark = pytest.mark.timeout(180)


async def test_a_cancel_in_a_lost_task_undoes_what_was_done(
    stack: DevStack, client: Client, kafka_bus: Bus, tmp_path: Path
) -> None:
    """The worker dies after two fast steps that no history knows of; the saga is cancelled before
    another worker starts. All of it is undone."""
    store = f"sqlite:///{tmp_path}/store.db"
    env = {
        "ORCHESTRATE_TEMPORAL": stack.addresses.temporal,
        "ORCHESTRATE_KAFKA": stack.addresses.kafka or "",
        "ORCHESTRATE_DATA": str(tmp_path),
        "ORCHESTRATE_DATABASE": store,
        # Long enough for the test to be quicker than it.
        "ORCHESTRATE_WINDOW": "5",
    }
    worker = Command("worker", ready=("serving ",), env=env, log=tmp_path / "worker.log")
    async with Database(store) as database:
        await migrate(database.engine)
        shop = World("lost", client, kafka_bus, database)
        await shop.deploy()
        async with shop.participating(), worker.running():
            key = shop.key()
            shop.script[key, "Pay"] = [silent, after(6), usual]
            id = await shop.start("Buy", key)
            await shop.sent(id, "b")
            await worker.kill()
            assert not await _answers(shop, id), "the history knows of the first step"
            await shop.instances.cancel(id)
            await worker.start()
            outcome = await shop.end(id, limit=90)
    assert outcome.status == "cancelled"
    assert shop.undone(id) == ["b:undo", "a:undo"]


async def _answers(shop: World, id: str) -> int:
    return len((await shop.instances.show(id)).course.entries)
