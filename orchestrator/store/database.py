"""Transactions on the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from types import TracebackType
from typing import Self

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from orchestrator.store.engine import READ_ONLY, STILL, make_engine, shown
from orchestrator.store.errors import StoreError


class Database:
    """One database. `async with` closes it at the end; connections are made when needed. A
    transaction that stands still for `still` seconds is rolled back by PostgreSQL."""

    def __init__(self, url: str, still: float = STILL) -> None:
        self.engine: AsyncEngine = make_engine(url, still)
        # SQLite has one writer. Waiting here is in turn; in SQLite it is polling and luck.
        self._turn = asyncio.Lock() if self.engine.dialect.name == "sqlite" else nullcontext()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes all connections."""
        await self.engine.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session whose changes are committed at the block's end, or rolled back when it raises.
        Raises StoreError when the database cannot be reached."""
        session = AsyncSession(self.engine, expire_on_commit=False)
        async with self._turn, self._kept_up(), session, session.begin():
            await self._connect(session, reads=False)
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one state of the database and changes nothing. Raises StoreError."""
        async with self._kept_up(), AsyncSession(self.engine, expire_on_commit=False) as session:
            await self._connect(session, reads=True)
            yield session

    @asynccontextmanager
    async def _kept_up(self) -> AsyncIterator[None]:
        """A driver that gives a connection up cancels what waits for it, and that looks as if the
        task were cancelled: whoever waits out a store that is away would end."""
        try:
            yield
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise unreachable(self.engine, error) from None

    async def _connect(self, session: AsyncSession, *, reads: bool) -> None:
        try:
            await session.connection(execution_options={READ_ONLY: reads})
        except (DBAPIError, OSError, TimeoutError, PoolTimeoutError) as error:
            raise unreachable(self.engine, error) from None


def unreachable(engine: AsyncEngine, error: BaseException) -> StoreError:
    """The error for a database that does not let us in."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    reason = (str(cause) or type(cause).__name__).splitlines()[0]
    if engine.dialect.name == "sqlite":
        return StoreError(
            f"the database `{shown(engine)}` cannot be opened ({reason}): "
            "does its folder exist, and may it be written to?"
        )
    return StoreError(f"the database `{shown(engine)}` does not answer ({reason}): is it running?")
