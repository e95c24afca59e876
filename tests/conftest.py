"""What the whole test suite shares: its options, and real servers, started once and when first
asked for. A server that is missing fails the tests; PostgreSQL alone may be skipped, outside CI."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from temporalio.client import Client

from orchestrator.dev.errors import MissingError
from orchestrator.dev.postgres import PostgresServer
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.memory import MemoryBus
from orchestrator.runtime.connect import connect
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.repeats import FewRepeats

_numbers = itertools.count()
_repeats = FewRepeats()


def pytest_configure() -> None:
    """A shell's background job is started with SIGINT ignored, and all its children inherit that:
    then the programs that the tests send a Ctrl-C would never see one."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _repeats.watch("aiokafka")


def pytest_runtest_logstart() -> None:
    """Each test's report is about that test."""
    _repeats.begin()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` rewrites the expected outputs of the corpora."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the expected outputs")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `-n` every share of the tests is one process's."""
    from tests.shares import Shares

    return Shares(config, log)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DevStack]:
    """Temporal and Kafka."""
    folder = tmp_path_factory.mktemp("stack")
    async with DevStack(folder, ui=False, require_kafka=True) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres() -> AsyncIterator[PostgresServer]:
    """PostgreSQL."""
    server = PostgresServer()
    try:
        await server.start()
    except MissingError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    try:
        yield server
    finally:
        await server.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(stack: DevStack) -> Client:
    """A client of Temporal."""
    return await connect(stack.addresses.temporal)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kafka_bus(stack: DevStack) -> AsyncIterator[Bus]:
    """Kafka, one connection for the session."""
    async with KafkaBus(stack.addresses.kafka or "") as opened:
        yield opened


# A server is asked for by a fixture that is not async itself: its own runs on the same loop.


@pytest.fixture(params=["memory", "kafka"])
def real_bus(request: pytest.FixtureRequest) -> Bus | None:
    """Kafka in its turn, None in the in-process bus's."""
    return request.getfixturevalue("kafka_bus") if request.param == "kafka" else None


@pytest_asyncio.fixture(loop_scope="session")
async def bus(real_bus: Bus | None) -> AsyncIterator[Bus]:
    """Each bus in turn."""
    if real_bus is not None:
        yield real_bus
        return
    async with MemoryBus() as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgres"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Awaitable[str]]:
    """Makes an empty database of each kind in turn, and gives its URL."""
    if request.param == "postgres":
        return request.getfixturevalue("new_postgres_database")

    async def make() -> str:
        return f"sqlite:///{tmp_path}/database_{next(_numbers)}.db"

    return make


@pytest_asyncio.fixture(loop_scope="session")
async def database(new_database: Callable[[], Awaitable[str]]) -> AsyncIterator[Database]:
    """A migrated store on each kind of database in turn."""
    async with Database(await new_database()) as opened:
        await migrate(opened.engine)
        yield opened


@pytest.fixture(scope="session")
def new_postgres_database(postgres: PostgresServer) -> Callable[[], Awaitable[str]]:
    """Makes a database that nobody else uses, and gives its URL."""

    async def make() -> str:
        name = f"test_{next(_numbers)}"
        admin = create_async_engine(postgres.url(), isolation_level="AUTOCOMMIT")
        async with admin.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
        await admin.dispose()
        return postgres.url(database=name).replace("+asyncpg", "")

    return make
