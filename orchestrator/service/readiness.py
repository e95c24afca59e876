"""Whether a running service can do its work now."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.messaging.bus import Reader
from orchestrator.service.relay import Relay
from orchestrator.store.database import Database
from orchestrator.store.errors import StoreError


class Stage(StrEnum):
    """Where a service is between its start and its end."""

    STARTING = "it is starting"
    RUNNING = "it is running"
    STOPPING = "it is stopping"


class Readiness:
    """A service is ready when it runs, has partitions to read, reaches its database, and publishes
    what is in the outbox."""

    def __init__(self, database: Database, relay: Relay) -> None:
        self._database = database
        self._relay = relay
        self.stage = Stage.STARTING
        self.readers: dict[str, Reader] = {}
        self._waits: str | None = None

    def wait(self, reason: str | None) -> None:
        """Its start waits for something; None when it does no longer."""
        self._waits = reason

    async def reasons(self) -> list[str]:
        """Why it is not ready; empty when it is."""
        if self.stage is not Stage.RUNNING:
            return [self.stage.value, *([self._waits] if self._waits else [])]
        found = [
            f"group `{group}` has no partition to read"
            for group, reader in self.readers.items()
            if not reader.assignment()
        ]
        if self._relay.trouble is not None:
            found.append(f"the outbox waits: {self._relay.trouble}")
        try:
            async with self._database.reading() as session:
                await session.execute(select(1))
        except StoreError as error:
            found.append(str(error))
        except SQLAlchemyError as error:
            found.append(f"the database refuses: {type(error).__name__}")
        return found
