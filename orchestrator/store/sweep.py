"""Forgets what need not be known any longer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.store.database import Database
from orchestrator.store.outage import OUTAGES

log = structlog.get_logger(__name__)


class Remove(Protocol):
    """Removes at most `limit` rows that are older than `before`; how many it was."""

    def __call__(
        self, session: AsyncSession, *, before: datetime, limit: int
    ) -> Awaitable[int]: ...


class Sweep:
    """Has each of `rules` remove what is older than its time: every `every` seconds, in
    transactions of at most `batch` rows with room for others between them. Several at once do not
    harm each other."""

    def __init__(
        self,
        database: Database,
        rules: Sequence[tuple[Remove, timedelta]],
        *,
        every: float = 600.0,
        batch: int = 1000,
    ) -> None:
        self._database = database
        self._rules = rules
        self._every = every
        self._batch = batch

    async def run(self, stop: asyncio.Event) -> None:
        """Sweeps until `stop` is set."""
        while not stop.is_set():
            try:
                await self.sweep(stop)
            except OUTAGES as error:
                log.warning("what is old is kept for now", error=type(error).__name__)
            try:
                async with asyncio.timeout(self._every):
                    await stop.wait()
            except TimeoutError:
                continue

    async def sweep(self, stop: asyncio.Event) -> int:
        """Removes what is old now, unless `stop` is set meanwhile; how many rows it was. Raises
        StoreError, SQLAlchemyError."""
        now = datetime.now(UTC)
        return sum([await self._all(remove, now - time, stop) for remove, time in self._rules])

    async def _all(self, remove: Remove, before: datetime, stop: asyncio.Event) -> int:
        total = 0
        while not stop.is_set():
            async with self._database.transaction() as session:
                removed = await remove(session=session, before=before, limit=self._batch)
            total += removed
            if removed < self._batch:
                break
            # SQLite has one writer, who may be somebody else now.
            await asyncio.sleep(0)
        return total
