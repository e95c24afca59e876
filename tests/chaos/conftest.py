"""The servers that these tests may kill."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chaos.arena import Arena


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def arena(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Arena]:
    """Kafka, Temporal and PostgreSQL, with the chaos shop deployed."""
    async with Arena(tmp_path_factory.mktemp("arena")) as running:
        yield running
