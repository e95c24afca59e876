"""An empty database of each kind."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from orchestrator.store.database import Database

_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgres"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Awaitable[str]]:
    """Makes an empty database and gives its URL."""
    if request.param == "postgres":
        made: Callable[[], Awaitable[str]] = request.getfixturevalue("new_postgres_database")
        return made

    async def make() -> str:
        return f"sqlite:///{tmp_path}/store_{next(_numbers)}.db"

    return make


@pytest_asyncio.fixture
async def url(new_url: Callable[[], Awaitable[str]]) -> str:
    """An empty database's URL."""
    return await new_url()


@pytest_asyncio.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """An empty database."""
    async with Database(url) as opened:
        yield opened
