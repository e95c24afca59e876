"""The outbox: committed with what it tells, in order within an aggregate, shared out by lease."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import inspect, update

from orchestrator.store import outbox
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from orchestrator.store.outbox import BUCKETS, OutboxMessage, Pending
from orchestrator.store.tables import outbox_buckets

ALL = list(range(BUCKETS))


@pytest_asyncio.fixture
async def store(database: Database) -> AsyncIterator[Database]:
    """A migrated database."""
    await migrate(database.engine, "participant")
    yield database


def message(id: str, key: str | None = "k") -> OutboxMessage:
    """A message of the topic `t`."""
    return OutboxMessage(id, "t", key, "t.Happened", b"\x00body", (("ce_id", id), ("x", "é")))


async def add(store: Database, *messages: OutboxMessage) -> None:
    """Commits messages."""
    async with store.transaction() as session:
        await outbox.add(session, messages)


async def pending(store: Database, limit: int = 1000) -> list[Pending]:
    """What is not published."""
    async with store.transaction() as session:
        return await outbox.pending(session, ALL, limit)


async def test_messages_come_back_as_they_went_in(store: Database) -> None:
    """Bytes, headers and absent keys included."""
    given = [message("a"), message("b", None), message("c", "other")]
    await add(store, *given)
    assert [p.message for p in await pending(store)] == given


async def test_what_is_rolled_back_was_never_there(store: Database) -> None:
    """The message is as true as the transaction that it tells of."""
    with pytest.raises(RuntimeError):
        async with store.transaction() as session:
            await outbox.add(session, [message("a")])
            raise RuntimeError
    assert await pending(store) == []


async def test_within_an_aggregate_positions_follow_the_commits(store: Database) -> None:
    """Also when many transactions add to it at the same time."""
    committed: list[str] = []

    async def one(n: int) -> None:
        async with store.transaction() as session:
            await outbox.add(session, [message(f"m{n}")])
            await asyncio.sleep(0.002 * (n % 3))
            committed.append(f"m{n}")

    await asyncio.gather(*(one(n) for n in range(30)))
    assert [p.message.id for p in await pending(store)] == committed


async def test_transactions_with_the_same_aggregates_do_not_lock_each_other_out(
    store: Database,
) -> None:
    """Whatever the order in which they name them."""
    there, back = ["a", "b", "c"], ["c", "b", "a"]
    async with asyncio.timeout(20):
        await asyncio.gather(
            *(
                add(store, *(message(f"{n}{key}", key) for key in (there if n % 2 else back)))
                for n in range(20)
            )
        )
    assert len(await pending(store)) == 60


async def test_a_bucket_has_one_holder(store: Database) -> None:
    """What one relay has taken, others do not get before the lease is over or it is given back."""
    await add(store, message("a"))
    async with store.transaction() as session:
        mine = await outbox.claim(session, "me", 9, 30)
        assert mine == [outbox.bucket_of("t/k")]
        assert await outbox.claim(session, "you", 9, 30) == []
    async with store.transaction() as session:
        await outbox.release(session, "you", mine)
        assert await outbox.claim(session, "you", 9, 30) == []
        await outbox.release(session, "me", mine)
        assert await outbox.claim(session, "you", 9, 30) == mine


async def test_a_lease_ends_by_itself(store: Database) -> None:
    """A relay that died keeps nothing."""
    await add(store, message("a"))
    async with store.transaction() as session:
        await outbox.claim(session, "dead", 9, 30)
        await session.execute(update(outbox_buckets).values(until_ms=1))
        assert await outbox.claim(session, "me", 9, 30) == [outbox.bucket_of("t/k")]


async def test_relays_do_not_wait_for_each_other(
    new_postgres_database: Callable[[], Awaitable[str]],
) -> None:
    """While one's claim is not committed yet, another one takes the rest. (SQLite has one writer,
    so there it is one after the other.)"""
    async with Database(await new_postgres_database()) as store:
        await migrate(store.engine, "participant")
        await add(store, *(message(f"m{n}", f"k{n}") for n in range(40)))
        async with store.transaction() as first, store.transaction() as second:
            mine = await outbox.claim(first, "one", 5, 30)
            async with asyncio.timeout(20):
                yours = await outbox.claim(second, "two", 5, 30)
        assert len(mine) == len(yours) == 5 and not {*mine} & {*yours}


async def test_a_held_aggregate_waits_alone(store: Database) -> None:
    """Longer each time; a success ends it."""
    await add(store, message("a1", "a"), message("a2", "a"), message("b1", "b"))
    async with store.transaction() as session:
        for _ in range(3):
            await outbox.hold(session, "t/a", "refused")
    [left] = await pending(store)
    assert left.message.id == "b1"
    async with store.transaction() as session:
        await outbox.published(session, [Pending(0, "t/a", message("a0", "a"))])
    assert [p.message.id for p in await pending(store)] == ["a1", "a2", "b1"]


async def test_published_messages_are_removed_in_batches(store: Database) -> None:
    """Only old ones, and never one that is pending."""
    await add(store, *(message(f"m{n}") for n in range(5)))
    done = (await pending(store))[:4]
    later = datetime.now(UTC) + timedelta(seconds=1)
    async with store.transaction() as session:
        await outbox.published(session, done)
        assert await outbox.remove(session, datetime.now(UTC) - timedelta(days=1), 10) == 0
        assert await outbox.remove(session, later, 3) == 3
        assert await outbox.remove(session, later, 3) == 1
        assert await outbox.remove(session, later, 3) == 0
    assert [p.message.id for p in await pending(store)] == ["m4"]


async def test_change_data_capture_finds_its_columns(store: Database) -> None:
    """Those that Debezium's outbox event router reads, in a table that only grows."""
    async with store.engine.connect() as connection:
        columns = await connection.run_sync(lambda c: inspect(c).get_columns("outbox"))
    assert {"id", "aggregatetype", "aggregateid", "type", "payload"} <= {c["name"] for c in columns}
