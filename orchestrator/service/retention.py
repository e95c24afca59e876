"""Forgets what a participant need not know any longer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.store import business_keys, inbox, outbox, sequences
from orchestrator.store.database import Database
from orchestrator.store.errors import StoreError

log = structlog.get_logger(__name__)

_Remove = Callable[..., Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Keys:
    """How long a consumer knows the business keys of its commands (by wire type)."""

    consumer: str
    remember: Mapping[str, timedelta]


class Retention:
    """Removes inbox rows, and messages that were published from the outbox, that are older than
    `remember`, how far the numbered events of the consumer `events` have come where none came for
    as long, and business keys as `keys` says: every `every` seconds, in transactions of at most
    `batch` rows with room for others between them. Several at once do not harm each other."""

    def __init__(
        self,
        database: Database,
        remember: timedelta,
        *,
        every: float = 600.0,
        batch: int = 1000,
        keys: Keys | None = None,
        events: str | None = None,
    ) -> None:
        self._database = database
        self._remember = remember
        self._every = every
        self._batch = batch
        self._keys = keys
        self._events = events

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
        now = datetime.now(UTC)
        total = 0
        remove: _Remove
        for remove in (inbox.remove, outbox.remove):
            total += await self._all(remove, now - self._remember, stop)
        if self._events is not None:
            remove = partial(sequences.participant.remove, self._events)
            total += await self._all(remove, now - self._remember, stop)
        if self._keys is not None:
            for command, remember in self._keys.remember.items():
                remove = partial(business_keys.remove, self._keys.consumer, command)
                total += await self._all(remove, now - remember, stop)
        return total

    async def _all(self, remove: _Remove, before: datetime, stop: asyncio.Event) -> int:
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
