"""How much waits in a service's database, for the process's numbers."""

from __future__ import annotations

import asyncio

import structlog

from orchestrator.store.database import Database
from orchestrator.store.depth import depth
from orchestrator.store.outage import OUTAGES
from orchestrator.telemetry.metrics import Meters

log = structlog.get_logger(__name__)

#: Seconds between two looks.
_EVERY = 15.0


class Depths:
    """Looks again and again; while the database is away the numbers stay what they were."""

    def __init__(
        self, database: Database, service: str, consumer: str, meters: Meters, every: float = _EVERY
    ) -> None:
        self._database = database
        self._service = service
        self._consumer = consumer
        self._meters = meters
        self._every = every

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        while not stop.is_set():
            try:
                async with self._database.reading() as session:
                    found = await depth(session, self._consumer)
                self._meters.depth(self._service, found._asdict())
            except OUTAGES as error:
                log.warning("depths not known", error=type(error).__name__)
            try:
                async with asyncio.timeout(self._every):
                    await stop.wait()
            except TimeoutError:
                continue
