"""Events that no saga has claimed yet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio

from orchestrator.store import unclaimed
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate


@pytest_asyncio.fixture
async def store(database: Database) -> AsyncIterator[Database]:
    """A migrated database."""
    await migrate(database.engine, "orchestrator")
    yield database


async def keep(store: Database, saga: str, *ids: str) -> None:
    """Events, each in a transaction of its own."""
    for id in ids:
        async with store.transaction() as session:
            await unclaimed.keep(session, saga, id, "shop.Paid", {"id": id})


async def test_a_saga_gets_what_came_for_it_in_its_order(store: Database) -> None:
    """Each once, with its data, however often it came; those of others stay with them."""
    await keep(store, "Order/1", "b", "a", "b")
    await keep(store, "Order/2", "c")
    async with store.transaction() as session:
        found = await unclaimed.claim(session, "Order/1")
    assert [(e.event_id, e.type, e.data) for e in found] == [
        ("b", "shop.Paid", {"id": "b"}),
        ("a", "shop.Paid", {"id": "a"}),
    ]
    async with store.transaction() as session:
        assert [e.event_id for e in await unclaimed.listed(session)] == ["c"]


async def test_who_asks_again_is_answered_again(store: Database) -> None:
    """The first to ask may have been lost before it could use the answer; behind what it has
    there is only what came later."""
    await keep(store, "Order/1", "a", "b", "c")
    async with store.transaction() as session:
        first = await unclaimed.claim(session, "Order/1", limit=2)
    async with store.transaction() as session:
        assert await unclaimed.claim(session, "Order/1", limit=2) == first
        behind = await unclaimed.claim(session, "Order/1", first[-1].position)
    assert [e.event_id for e in behind] == ["c"]


async def test_only_what_is_not_claimed_is_listed(store: Database) -> None:
    """The last to come first; a saga's name is no pattern, and no beginning of another's."""
    await keep(store, "Order/1", "a")
    await keep(store, "Order/2", "b")
    await keep(store, "Orders/1", "c")
    async with store.transaction() as session:
        await unclaimed.delivered(session, "Order/1", "a")
        assert [e.event_id for e in await unclaimed.listed(session)] == ["c", "b"]
        assert [e.event_id for e in await unclaimed.listed(session, "Order")] == ["b"]
        assert await unclaimed.listed(session, "Ord%") == []
        assert [e.event_id for e in await unclaimed.listed(session, limit=1)] == ["c"]


async def test_old_events_are_forgotten_in_batches(store: Database) -> None:
    """Claimed or not."""
    await keep(store, "Order/1", "a", "b", "c")
    later = datetime.now(UTC) + timedelta(seconds=1)
    async with store.transaction() as session:
        await unclaimed.claim(session, "Order/1", limit=1)
        assert await unclaimed.remove(session, later - timedelta(days=1), 10) == 0
        assert await unclaimed.remove(session, later, 2) == 2
        assert await unclaimed.remove(session, later, 2) == 1
        assert await unclaimed.listed(session) == []
