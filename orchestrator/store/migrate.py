"""Brings a database to the tables that this release wants."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from orchestrator.store.database import unreachable
from orchestrator.store.engine import shown
from orchestrator.store.errors import StoreError

#: Which tables: the orchestrator's own, or a participant's (the inbox). Both may share a database;
#: each has its own version table, apart from the participant's own Alembic.
TableSet = Literal["orchestrator", "participant"]

_FOLDER = Path(__file__).parent / "migrations"

#: Any number will do that no other program takes on purpose.
_ADVISORY_LOCK = 7_214_993_056_418_272

_TURN = threading.Lock()


async def migrate(engine: AsyncEngine, tables: TableSet = "orchestrator") -> None:
    """Applies what is missing, all or nothing. Safe when several start at once: one migrates, the
    others wait. Raises StoreError when the database is out of reach or newer than this release."""
    await _alone(engine, lambda connection: _upgrade(connection, tables, shown(engine)))


async def create_missing(engine: AsyncEngine, metadata: MetaData) -> None:
    """Creates a participant's own tables where they are missing; changes none. Safe when several
    start at once. Raises StoreError."""
    await _alone(engine, metadata.create_all)


async def _alone(engine: AsyncEngine, work: Callable[[Connection], None]) -> None:
    """Runs `work` in one transaction while nobody else changes tables."""
    # Alembic keeps what it works on in global proxies, so in one process it is one at a time,
    # whatever the database, the thread or the event loop.
    while not _TURN.acquire(blocking=False):  # noqa: ASYNC110 - an Event is of one loop
        await asyncio.sleep(0.01)
    try:
        async with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                # On SQLite the transaction itself, begun as IMMEDIATE, is the lock.
                key = {"key": _ADVISORY_LOCK}
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), key)
            await connection.run_sync(work)
            await connection.commit()
    except (DBAPIError, OSError, TimeoutError, PoolTimeoutError) as error:
        raise unreachable(engine, error) from error
    finally:
        _TURN.release()


def _upgrade(connection: Connection, tables: TableSet, database: str) -> None:
    options: dict[str, Any] = {"version_table": f"orchestrate_{tables}_revision"}
    script = ScriptDirectory(str(_FOLDER), version_locations=[str(_FOLDER / tables)])
    _refuse_newer(connection, script, options, database)

    def steps(revision: Any, _: MigrationContext) -> Any:
        return script._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(connection=connection, **options)
        environment.run_migrations()


def _refuse_newer(
    connection: Connection, script: ScriptDirectory, options: dict[str, Any], database: str
) -> None:
    present = MigrationContext.configure(connection, opts=options).get_current_revision()
    known = {found.revision for found in script.walk_revisions()}
    if present is not None and present not in known:
        raise StoreError(
            f"the database `{database}` is at revision `{present}`, which this release does not "
            f"know (it knows `{script.get_current_head()}`): use the newer release that migrated it"
        )
