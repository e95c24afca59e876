"""Forgets what a participant need not know any longer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.store import inbox, outbox
from orchestrator.store.database import Database
from orchestrator.store.errors import StoreError

log = structlog.get_logger(__name__)

_Remove = Callable[[AsyncSession, datetime, int], Awaitable[int]]


class Retention:
    """Removes inbox rows, and messages that were published from the outbox, that are older than
    `remember`: every `every` seconds, in transactions of at most `batch` rows with room for others
    between them. Several at once do not harm each other."""

    def __init__(
        self,
        database: Database,
        remember: timedelta,
        *,
        every: float = 600.0,
        batch: int = 1000,
    ) -> None:
        self._database = database
        self._remember = remember
        self._every = every
        self._batch = batch

    async def run(self, stop: asyncio.Event) -> None:
        """Sweeps until `stop` is set."""
        while not stop.is_set():
            try:
                await self.sweep(stop)
            except (StoreError, SQLAlchemyError, OSError) as error:
                log.warning("old messages are kept for now", error=type(error).__name__)
            try:
                async with asyncio.timeout(self._every):
                    await stop.wait()
            except TimeoutError:
                continue

    async def sweep(self, stop: asyncio.Event) -> int:
        """Removes what is old now, unless `stop` is set meanwhile; how many rows it was. Raises
        StoreError, SQLAlchemyError."""
        before = datetime.now(UTC) - self._remember
        return await self._all(inbox.remove, before, stop) + await self._all(
            outbox.remove, before, stop
        )

    async def _all(self, remove: _Remove, before: datetime, stop: asyncio.Event) -> int:
        total = 0
        while not stop.is_set():
            async with self._database.transaction() as session:
                removed = await remove(session, before, self._batch)
            total += removed
            if removed < self._batch:
                break
            # SQLite has one writer, who may be somebody else now.
            await asyncio.sleep(0)
        return total
