"""A process with our worker, as `orchestrate worker` runs it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from temporalio.client import Client

from orchestrator.messaging.kafka import KafkaBus
from orchestrator.runtime.worker import SagaWorker
from orchestrator.store.database import Database
from tests.bench.role import Parent, play
from tests.bench.saga.orders import store_url


async def our_worker(parent: Parent, config: dict[str, Any]) -> None:
    """Serves what is deployed."""
    client = await Client.connect(config["temporal"])
    store = store_url(Path(config["folder"]))
    async with KafkaBus(config["kafka"]) as bus, Database(store) as database:
        worker = SagaWorker(client, bus, database)
        running = asyncio.create_task(worker.run(asyncio.Event()))
        ready = asyncio.create_task(worker.ready.wait())
        await asyncio.wait((running, ready), return_when=asyncio.FIRST_COMPLETED)
        await parent.until_ended(running)


if __name__ == "__main__":
    play(our_worker)
