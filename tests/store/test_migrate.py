"""Migrations: from nothing, again, at the same time, and from the future."""

from __future__ import annotations

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from orchestrator.store import tables
from orchestrator.store.database import Database
from orchestrator.store.errors import StoreError
from orchestrator.store.migrate import TableSet, migrate

_METADATA = {"orchestrator": tables.orchestrator, "participant": tables.participant}


@pytest.mark.parametrize("name", ["orchestrator", "participant"])
async def test_the_migrations_make_the_declared_tables(database: Database, name: TableSet) -> None:
    """`tables.py` and the revisions do not drift apart."""
    await migrate(database.engine, name)

    def difference(connection: Connection) -> list[object]:
        mine = set(_METADATA[name].tables)
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda n, kind, _: kind != "table" or n in mine},
        )
        return list(compare_metadata(context, _METADATA[name]))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(difference) == []


async def test_both_sets_share_a_database(database: Database) -> None:
    """A participant may live in the orchestrator's database; applying twice changes nothing."""
    for _ in range(2):
        await migrate(database.engine, "orchestrator")
        await migrate(database.engine, "participant")
    async with database.engine.connect() as connection:
        found = await connection.run_sync(lambda c: inspect(c).get_table_names())
    assert {"flow_versions", "current_versions", "inbox"} <= set(found)


async def test_several_starts_at_once_are_safe(url: str) -> None:
    """One migrates, the others wait and find it done."""
    databases = [Database(url) for _ in range(12)]
    for database in databases:
        async with database.engine.connect():
            pass  # with a connection at hand they all begin at the same moment
    await asyncio.gather(*(migrate(d.engine) for d in databases))
    for database in databases:
        await database.close()


async def test_a_newer_database_is_refused(database: Database) -> None:
    """An older release does not touch what it does not know."""
    await migrate(database.engine)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE orchestrate_orchestrator_revision SET version_num = 'from-2031'")
        )
    with pytest.raises(StoreError, match=r"from-2031.*newer release"):
        await migrate(database.engine)


async def test_a_server_that_is_down_is_an_error(unused_tcp_port: int) -> None:
    """Migrating says so, too."""
    async with Database(f"postgresql://u@127.0.0.1:{unused_tcp_port}/d") as database:
        with pytest.raises(StoreError, match="is it running"):
            await migrate(database.engine)
