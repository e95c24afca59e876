"""Stored versions of modules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from orchestrator.store import versions
from orchestrator.store.database import Database
from orchestrator.store.errors import ConflictError, StoreError
from orchestrator.store.migrate import migrate

_SOURCES = {"orders.flow": "module shop.orders // ä"}


@pytest_asyncio.fixture
async def store(database: Database) -> AsyncIterator[Database]:
    """A migrated database."""
    await migrate(database.engine)
    yield database


async def test_a_version_is_stored_once(store: Database) -> None:
    """Saving it again changes nothing and says so."""
    async with store.transaction() as session:
        assert await versions.save_version(session, "shop", "v1", "{}", _SOURCES)
    async with store.transaction() as session:
        assert not await versions.save_version(session, "shop", "v1", "{}", _SOURCES)
    async with store.reading() as session:
        [found] = await versions.versions(session)
    assert (found.module, found.version, found.plan, found.sources) == (
        "shop",
        "v1",
        "{}",
        _SOURCES,
    )
    assert abs(datetime.now(UTC) - found.created_at) < timedelta(minutes=1)


async def test_another_plan_under_one_version_is_a_conflict(store: Database) -> None:
    """A version is a content hash; running sagas rely on it."""
    async with store.transaction() as session:
        await versions.save_version(session, "shop", "v1", "{}", _SOURCES)
    with pytest.raises(ConflictError):
        async with store.transaction() as session:
            await versions.save_version(session, "shop", "v1", "{ }", _SOURCES)


async def test_the_current_version_moves(store: Database) -> None:
    """Forth and back, for each module alone."""
    async with store.transaction() as session:
        for name in ("v1", "v2"):
            await versions.save_version(session, "shop", name, "{}", _SOURCES)
        await versions.save_version(session, "other", "o1", "{}", _SOURCES)
        await versions.set_current(session, "other", "o1")
    for name in ("v1", "v2", "v1"):
        async with store.transaction() as session:
            await versions.set_current(session, "shop", name)
        async with store.reading() as session:
            assert await versions.current(session) == {"shop": name, "other": "o1"}


async def test_an_unknown_version_cannot_be_current(store: Database) -> None:
    """The error names it."""
    with pytest.raises(StoreError, match="`v9` of `shop`"):
        async with store.transaction() as session:
            await versions.set_current(session, "shop", "v9")


async def test_versions_of_one_module_oldest_first(store: Database) -> None:
    """A listing is in the order of deployment."""
    for name in ("b", "a"):
        async with store.transaction() as session:
            await versions.save_version(session, "shop", name, "{}", {})
    async with store.reading() as session:
        assert [v.version for v in await versions.versions(session, "shop")] == ["b", "a"]
        assert await versions.versions(session, "none") == []
        assert await versions.find_version(session, "shop", "zzz") is None
