"""The PostgreSQL server of the tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from orchestrator.dev.errors import MissingError, ServerError
from orchestrator.dev.postgres import PostgresServer, find_postgres, unprivileged_user


async def ask(server: PostgresServer, question: str) -> object:
    connection = await asyncpg.connect(
        host=server.host, port=server.port, user=server.user, database=server.database
    )
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_it_serves_and_leaves_nothing(listening, gone) -> None:
    """It answers on loopback alone, survives a kill, and takes its temporary folder with it."""
    async with PostgresServer() as server:
        assert server.pid is not None
        assert listening(server.pid) == {("127.0.0.1", server.port)}
        assert server.url() == f"postgresql+asyncpg://orchestrate@127.0.0.1:{server.port}/postgres"
        await ask(server, "create table kept as select 7 as n")
        server.kill()
        await server.start()
        assert await ask(server, "select n from kept") == 7
        pid, folder = server.pid, server.folder
    await server.stop()
    assert gone(pid, limit=0.1)
    assert not folder.exists()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield Path(name)


async def test_a_folder_of_ones_own_keeps_its_data(open_folder: Path) -> None:
    """A server on a given folder leaves its data there and finds it at the second start."""
    folder = open_folder / "pg"
    async with PostgresServer(folder) as first:
        await ask(first, "create table kept as select 7 as n")
    async with PostgresServer(folder, durable=True) as second:
        assert await ask(second, "select n from kept") == 7
        assert await ask(second, "show fsync") == "on"


async def test_open_connections_do_not_delay_the_stop(gone) -> None:
    """A stop does not wait for clients that stay connected."""
    async with PostgresServer() as server:
        pid = server.pid
        idle = await asyncpg.connect(server.url().replace("+asyncpg", ""))
    assert gone(pid, limit=0.1)
    idle.terminate()


@pytest.mark.skipif(unprivileged_user() is None, reason="only root runs it as another user")
async def test_an_unreachable_folder_is_named(tmp_path: Path) -> None:
    """As root, a folder that the unprivileged user cannot enter is an error naming the place."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ServerError, match="cannot enter"):
        await PostgresServer(closed / "data").start()


def test_a_missing_server_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PostgreSQL is not installed the error says how to install it."""
    monkeypatch.setattr("orchestrator.dev.postgres._DEBIAN", Path("/nowhere"))
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingError, match="apt-get install postgresql"):
        find_postgres()
