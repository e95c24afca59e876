"""The parcel, deployed and run on real Temporal, Kafka and PostgreSQL: scans that come in another
order, twice, and before the parcel was handed in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text
from temporalio.client import Client

from dsl.load import load
from orchestrator.cli.participants import read_services
from orchestrator.deploy.deploy import deploy
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.envelope import Envelope, from_record, to_record
from orchestrator.runtime.instances import Instances, UnknownInstanceError
from orchestrator.runtime.worker import SagaWorker
from orchestrator.service.runner import ServiceRunner
from orchestrator.store import unclaimed
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.runtime.eventually import eventually

TRACKING = Path(__file__).parents[2] / "flows" / "tracking"
PARCEL = "parcel-7"


async def test_a_parcel_is_followed_whatever_order_its_scans_come_in(
    client: Client, kafka_bus: Bus, new_postgres_database: Callable[[], Awaitable[str]]
) -> None:
    """Each scan is taken once and in its turn, by the saga, which is started after them, and by the
    service; the bell is rung and the letter written once."""
    url, stop = await new_postgres_database(), asyncio.Event()
    notices = read_services(TRACKING / "services.py")["notices"]
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        database = await stack.enter_async_context(Database(url))
        await migrate(database.engine)
        await deploy(load([TRACKING]), client, kafka_bus, database)
        tap = await kafka_bus.tap(["tracking.notices", "tracking.news"])
        worker = SagaWorker(client, kafka_bus, database)
        tasks.create_task(worker.run(stop))
        runner = await stack.enter_async_context(ServiceRunner(notices, kafka_bus, url))
        tasks.create_task(runner.run(stop))
        await eventually(worker.ready.is_set, "the worker is ready")

        await _scan(kafka_bus, 2, "door", delivered=True)
        await _scan(kafka_bus, 1, "depot")
        await _scan(kafka_bus, 2, "door", delivered=True)

        async def kept() -> bool:
            async with database.reading() as session:
                return len(await unclaimed.listed(session, "Track")) == 2

        await eventually(kept, "two scans wait for their saga")
        await _tell(kafka_bus, "HandedIn", "handed-in", to="Ada")
        assert (await eventually(lambda: _outcome(client), "the saga ends")).result == "door"
        async with database.reading() as session:
            assert await unclaimed.listed(session, "Track") == []
            row = (await session.execute(text("SELECT place, scans FROM parcels"))).one()
        assert tuple(row) == ("door", 2)

        came: list[Envelope] = []
        types: list[str] = []
        while types.count("notices.Moved") < 4 or "notices.Notify" not in types:
            came += [from_record(r) for r in await tap.poll(100, 1.0)]
            types = [e.type for e in came]
        moved = [json.loads(e.data)["place"] for e in came if e.type == "notices.Moved"]
        assert sorted(moved) == ["depot", "depot", "door", "door"]
        assert types.count("notices.Ring") == 1
        stop.set()


async def _scan(bus: Bus, number: int, place: str, delivered: bool = False) -> None:
    id = f"scan-{PARCEL}-{number}"
    await _tell(bus, "Scanned", id, number=number, place=place, delivered=delivered)


async def _tell(bus: Bus, event: str, id: str, **fields: Any) -> None:
    """The carrier publishes an event."""
    envelope = Envelope(
        id=id,
        type=f"carrier.{event}",
        source="/carrier",
        time=datetime.now(UTC),
        key=PARCEL,
        data=json.dumps({"parcel": PARCEL, **fields}).encode(),
    )
    await bus.publish(to_record(envelope, "tracking.scans"))


async def _outcome(client: Client) -> Any:
    try:
        return await Instances(client).outcome(f"Track/{PARCEL}")
    except UnknownInstanceError:
        return None
