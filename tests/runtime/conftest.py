"""One world of sagas for each file, on real Temporal and Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client

from orchestrator.messaging.bus import Bus
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.runtime.world import FLOW, World, world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    client: Client,
    kafka_bus: Bus,
) -> AsyncIterator[World]:
    """The world of a file; its name is the file's last word, its flow and its gap the file's own
    if it has them."""
    name = request.path.stem.rpartition("_")[2]
    flow = getattr(request.module, "WORLD", FLOW)
    gap = getattr(request.module, "GAP", 60.0)
    folder = tmp_path_factory.mktemp(name)
    async with Database(f"sqlite:///{folder}/store.db") as database:
        await migrate(database.engine)
        async with world(name, client, kafka_bus, database, flow, gap=gap) as running:
            yield running
