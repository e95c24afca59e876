"""URLs, transactions, and databases that are not there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from orchestrator.store.database import Database
from orchestrator.store.engine import database_url
from orchestrator.store.errors import StoreError


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("sqlite:///a.db", "sqlite+aiosqlite"),
        ("postgresql://u@h/d", "postgresql+asyncpg"),
        ("postgres://u@h/d", "postgresql+asyncpg"),
        ("postgresql+asyncpg://u@h/d", "postgresql+asyncpg"),
    ],
)
def test_plain_urls_get_the_async_driver(given: str, driver: str) -> None:
    """One URL names the database; the driver is our matter."""
    assert database_url(given).drivername == driver


@pytest.mark.parametrize("given", ["mysql://u:secret@h/d", "no url: secret", ""])
def test_other_urls_are_refused_without_quoting_them(given: str) -> None:
    """A wrong URL may hold a password."""
    with pytest.raises(StoreError) as caught:
        database_url(given)
    assert "secret" not in str(caught.value)


async def test_a_transaction_commits_or_rolls_back(database: Database) -> None:
    """What a raising block did is gone, what a block did that ended is there."""
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE t (n int)"))
    with pytest.raises(RuntimeError):
        async with database.transaction() as session:
            await session.execute(text("INSERT INTO t VALUES (1)"))
            raise RuntimeError
    async with database.transaction() as session:
        await session.execute(text("INSERT INTO t VALUES (2)"))
    async with database.reading() as session:
        assert (await session.execute(text("SELECT n FROM t"))).scalars().all() == [2]


async def test_many_writers_that_read_first_do_not_fail(database: Database) -> None:
    """Read, then write, forty times at once: on SQLite without its deadlock on upgrading."""
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE t (n int)"))

    async def add() -> None:
        async with database.transaction() as session:
            await session.execute(text("SELECT count(*) FROM t"))
            await session.execute(text("INSERT INTO t VALUES (1)"))

    await asyncio.gather(*(add() for _ in range(40)))
    async with database.reading() as session:
        assert (await session.execute(text("SELECT count(*) FROM t"))).scalar() == 40


async def test_two_processes_may_write_to_one_sqlite(tmp_path: Path) -> None:
    """Two engines on one file wait for each other, too."""
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    async with Database(url) as one, Database(url) as two:
        async with one.transaction() as session:
            await session.execute(text("CREATE TABLE t (n int)"))

        async def add(database: Database) -> None:
            async with database.transaction() as session:
                await session.execute(text("SELECT count(*) FROM t"))
                await session.execute(text("INSERT INTO t VALUES (1)"))

        await asyncio.gather(*(add(d) for _ in range(10) for d in (one, two)))
        async with one.reading() as session:
            assert (await session.execute(text("SELECT count(*) FROM t"))).scalar() == 20


async def test_a_drivers_cancel_is_a_store_that_is_away(tmp_path: Path) -> None:
    """When it gives a connection up; a task that is cancelled is cancelled."""
    async with Database(f"sqlite:///{tmp_path}/a.db") as database:
        with pytest.raises(StoreError):
            async with database.transaction():
                raise asyncio.CancelledError
        with pytest.raises(StoreError):
            async with database.reading():
                raise asyncio.CancelledError
        began = asyncio.Event()

        async def wait() -> None:
            async with database.transaction():
                began.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(wait())
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_server_that_is_down_is_one_clear_sentence(unused_tcp_port: int) -> None:
    """The address is named, the password is not."""
    url = f"postgresql://someone:secret@127.0.0.1:{unused_tcp_port}/shop"
    async with Database(url) as database:
        with pytest.raises(StoreError, match=r"does not answer.*is it running") as caught:
            async with database.transaction():
                pass
    assert "secret" not in str(caught.value)
    assert f"127.0.0.1:{unused_tcp_port}/shop" in str(caught.value)


async def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """A folder that is missing is the usual reason."""
    async with Database(f"sqlite:///{tmp_path}/missing/x.db") as database:
        with pytest.raises(StoreError, match=r"missing/x.db.*cannot be opened"):
            async with database.reading():
                pass


async def test_who_stands_still_in_a_transaction_holds_up_nobody_for_ever(
    new_postgres_database: Callable[[], Awaitable[str]],
) -> None:
    """Its locks are free after a while, what it wrote is gone, and it hears of that at its end; it
    may begin anew."""
    url = await new_postgres_database()
    async with Database(url, still=0.5) as stopped, Database(url) as other:
        async with other.transaction() as session:
            await session.execute(text("CREATE TABLE t (n int PRIMARY KEY)"))
        with pytest.raises(DBAPIError):
            async with stopped.transaction() as held:
                await held.execute(text("INSERT INTO t VALUES (1)"))
                async with other.transaction() as session:  # waits for the one that is held
                    await session.execute(text("INSERT INTO t VALUES (1)"))
                await held.execute(text("SELECT 1"))
        async with stopped.transaction() as session:
            await session.execute(text("INSERT INTO t VALUES (2)"))
        async with other.reading() as session:
            assert (await session.execute(text("SELECT n FROM t ORDER BY n"))).scalars().all() == [
                1,
                2,
            ]
