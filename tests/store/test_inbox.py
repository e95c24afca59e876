"""One effect for each message, also when two deliveries come at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from orchestrator.store import inbox
from orchestrator.store.database import Database
from orchestrator.store.errors import ConflictError
from orchestrator.store.migrate import migrate
from orchestrator.store.tables import inbox as table


@pytest_asyncio.fixture
async def store(database: Database) -> AsyncIterator[Database]:
    """A migrated database."""
    await migrate(database.engine, "participant")
    yield database


async def test_a_message_is_new_once(store: Database) -> None:
    """The second delivery gets the answer of the first."""
    async with store.transaction() as session:
        assert await inbox.claim(session, "stock", "m1", b"body") is None
        await inbox.record(session, "stock", "m1", {"id": "a"})
    async with store.transaction() as session:
        again = await inbox.claim(session, "stock", "m1", b"body")
    assert again is not None and again.answer == {"id": "a"}


async def test_consumers_do_not_share_an_inbox(store: Database) -> None:
    """The same message is new to each of them."""
    async with store.transaction() as session:
        assert await inbox.claim(session, "one", "m1", b"body") is None
        assert await inbox.claim(session, "two", "m1", b"body") is None


async def test_another_body_under_a_known_id_is_refused(store: Database) -> None:
    """An id names one message for ever."""
    async with store.transaction() as session:
        await inbox.claim(session, "stock", "m1", b"body")
        await inbox.record(session, "stock", "m1", None)
    with pytest.raises(ConflictError, match="`m1`"):
        async with store.transaction() as session:
            await inbox.claim(session, "stock", "m1", b"other")


async def test_a_rolled_back_claim_was_none(store: Database) -> None:
    """When the handler fails, the message is new again."""
    with pytest.raises(RuntimeError):
        async with store.transaction() as session:
            await inbox.claim(session, "stock", "m1", b"body")
            raise RuntimeError
    async with store.transaction() as session:
        assert await inbox.lookup(session, "stock", "m1", b"body") is None
        assert await inbox.claim(session, "stock", "m1", b"body") is None


async def test_of_two_deliveries_at_once_one_is_processed(store: Database) -> None:
    """The other waits for its end and gets its answer."""
    effects = 0

    async def deliver() -> object:
        nonlocal effects
        async with store.transaction() as session:
            found = await inbox.claim(session, "stock", "m1", b"body")
            if found is not None:
                return found.answer
            effects += 1
            await asyncio.sleep(0.05)
            await inbox.record(session, "stock", "m1", "answer")
            return "answer"

    answers = await asyncio.gather(*(deliver() for _ in range(8)))
    assert answers == ["answer"] * 8
    assert effects == 1


async def test_old_messages_are_forgotten_in_batches(store: Database) -> None:
    """And none that is younger than asked for."""
    now = datetime.now(UTC)
    async with store.transaction() as session:
        for n in range(6):
            await inbox.claim(session, "stock", f"m{n}", b"body")
            at = now - timedelta(days=10 - n)
            old = update(table).where(table.c.message_id == f"m{n}").values(processed_at=at)
            await session.execute(old)
        before = now - timedelta(days=6)
        assert await inbox.remove(session, before, 3) == 3
        assert await inbox.remove(session, before, 3) == 1
        assert await inbox.remove(session, before, 3) == 0
        left = await session.execute(select(table.c.message_id).order_by(table.c.message_id))
        assert list(left.scalars()) == ["m4", "m5"]


async def test_what_is_undone_between_claim_and_work_is_not_worked_on(store: Database) -> None:
    """Of a message that is claimed in a transaction of its own; nor is one that was forgotten."""
    for id in ("undone", "kept"):
        async with store.transaction() as session:
            assert await inbox.claim(session, "stock", id, b"body") is None
    async with store.transaction() as session:
        await inbox.forbid(session, "stock", "undone")
    async with store.transaction() as session:
        held = [await inbox.hold(session, "stock", id) for id in ("undone", "kept", "unknown")]
    assert held == [False, True, False]
    async with store.transaction() as session:
        again = await inbox.claim(session, "stock", "undone", b"other")
    assert again is not None and again.answer is None


async def test_an_undo_waits_for_what_is_worked_on(store: Database) -> None:
    """And then leaves the answer as it is."""
    async with store.transaction() as session:
        await inbox.claim(session, "stock", "m1", b"body")
    ended: list[str] = []

    async def undo() -> None:
        async with store.transaction() as session:
            await inbox.forbid(session, "stock", "m1")
            ended.append("undo")

    async with store.transaction() as session:
        assert await inbox.hold(session, "stock", "m1")
        undoing = asyncio.create_task(undo())
        await asyncio.sleep(0.3)
        await inbox.record(session, "stock", "m1", {"id": "a"})
        ended.append("work")
    await undoing
    assert ended == ["work", "undo"]
    async with store.reading() as session:
        found = await inbox.lookup(session, "stock", "m1", b"body")
    assert found is not None and found.answer == {"id": "a"}
