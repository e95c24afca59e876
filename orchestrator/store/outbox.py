"""The outbox: messages that are committed with what they tell, and who publishes which.

All functions work in the caller's transaction. Order is kept within an aggregate: a topic and a
key. Aggregates are shared out over buckets, and a relay takes whole buckets by lease. Nothing here
follows a position as a cursor: positions are given before the commit, so that a cursor would pass
over rows that are committed late; what is pending stands in a table of its own until it is
published.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.store.clock import milliseconds
from orchestrator.store.insert import insert_into
from orchestrator.store.tables import outbox, outbox_buckets, outbox_held, outbox_pending

#: As many rows as the migration gave `outbox_buckets`.
BUCKETS = 64

#: The first half of PostgreSQL's two-part advisory lock; the aggregate's hash is the other.
_LOCK_SPACE = 7_214_993

_INTEGERS = ARRAY(Integer)

_add, _add_pending = insert(outbox), insert(outbox_pending)

_FIRST_HOLD_MS, _LONGEST_HOLD_MS = 250, 60_000


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One message: `key` orders it within its `topic`, None leaves it without order; `headers` are
    names and texts in order."""

    id: str
    topic: str
    key: str | None
    type: str
    payload: bytes
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def aggregate(self) -> str:
        """What order is kept within."""
        return f"{self.topic}/{self.id if self.key is None else self.key}"


@dataclass(frozen=True, slots=True)
class Pending:
    """A message that is not published yet, with its place in its aggregate's order."""

    position: int
    aggregate: str
    message: OutboxMessage


async def add(session: AsyncSession, messages: Sequence[OutboxMessage]) -> None:
    """Adds messages, in this order. Whoever else adds to one of their aggregates waits for this
    transaction's end, so that positions follow the commits."""
    if not messages:
        return
    await _take_turns(session, {m.aggregate for m in messages})
    now = datetime.now(UTC)
    rows = [
        {
            "id": m.id,
            "aggregatetype": m.topic,
            "aggregateid": m.key,
            "type": m.type,
            "payload": m.payload,
            "headers": [list(h) for h in m.headers],
            "created_at": now,
        }
        for m in messages
    ]
    await session.execute(_add, rows)
    pending = [
        {"message_id": m.id, "bucket": bucket_of(m.aggregate), "aggregate": m.aggregate}
        for m in messages
    ]
    await session.execute(_add_pending, pending)


async def claim(session: AsyncSession, owner: str, limit: int, lease: float) -> list[int]:
    """At most `limit` buckets with something pending that nobody else has, for `lease` seconds; the
    longest unserved first. Relays at work at the same time do not wait for each other."""
    now = milliseconds(session)
    waits = exists().where(outbox_pending.c.bucket == outbox_buckets.c.bucket)
    rows = await session.execute(
        select(outbox_buckets.c.bucket)
        .where(outbox_buckets.c.until_ms <= now, waits)
        .order_by(outbox_buckets.c.until_ms, outbox_buckets.c.bucket)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = list(rows.scalars())
    if found:
        await session.execute(
            update(outbox_buckets)
            .where(outbox_buckets.c.bucket.in_(found))
            .values(owner=owner, until_ms=now + int(lease * 1000))
        )
    return found


async def release(session: AsyncSession, owner: str, buckets: Iterable[int]) -> None:
    """Gives buckets back, if they are still the owner's."""
    await session.execute(
        update(outbox_buckets)
        .where(outbox_buckets.c.bucket.in_(list(buckets)), outbox_buckets.c.owner == owner)
        .values(owner=None, until_ms=milliseconds(session))
    )


async def pending(session: AsyncSession, buckets: Sequence[int], limit: int) -> list[Pending]:
    """At most `limit` messages of these buckets, oldest first, without the held aggregates."""
    held = exists().where(
        outbox_held.c.aggregate == outbox_pending.c.aggregate,
        outbox_held.c.until_ms > milliseconds(session),
    )
    rows = await session.execute(
        select(outbox_pending.c.position, outbox_pending.c.aggregate, outbox)
        .join(outbox, outbox.c.id == outbox_pending.c.message_id)
        .where(outbox_pending.c.bucket.in_(buckets), ~held)
        .order_by(outbox_pending.c.position)
        .limit(limit)
    )
    return [Pending(row.position, row.aggregate, _message(row)) for row in rows]


async def published(session: AsyncSession, done: Sequence[Pending]) -> None:
    """Ends what the bus has acknowledged."""
    if not done:
        return
    positions = [p.position for p in done]
    await session.execute(delete(outbox_pending).where(outbox_pending.c.position.in_(positions)))
    free = {p.aggregate for p in done}
    held = select(outbox_held.c.aggregate).limit(1)
    if (await session.execute(held)).first() is not None:
        await session.execute(delete(outbox_held).where(outbox_held.c.aggregate.in_(free)))


async def hold(session: AsyncSession, aggregate: str, error: str) -> None:
    """Lets an aggregate wait, each time twice as long, up to a minute."""
    now = milliseconds(session)
    first = {"until_ms": now + _FIRST_HOLD_MS, "attempts": 1, "error": error}
    before = outbox_held.c.attempts
    # Two to the power of the attempts, in what both databases have.
    longer = func.min if _sqlite(session) else func.least
    wait = longer(
        literal_column(str(_FIRST_HOLD_MS), BigInteger).op("<<")(longer(before, 20)),
        _LONGEST_HOLD_MS,
    )
    await session.execute(
        insert_into(session, outbox_held)
        .values(aggregate=aggregate, **first)
        .on_conflict_do_update(
            index_elements=[outbox_held.c.aggregate],
            set_={"until_ms": now + wait, "attempts": before + 1, "error": error},
        )
    )


async def remove(session: AsyncSession, before: datetime, limit: int) -> int:
    """Removes at most `limit` published messages that were added before a time; how many it
    was."""
    waits = exists().where(outbox_pending.c.message_id == outbox.c.id)
    old = (
        select(outbox.c.id)
        .where(outbox.c.created_at < before, ~waits)
        .order_by(outbox.c.created_at)
        .limit(limit)
    )
    removed = await session.execute(
        delete(outbox).where(outbox.c.id.in_(old)).returning(outbox.c.id)
    )
    return len(removed.all())


def bucket_of(aggregate: str) -> int:
    """The share that an aggregate belongs to, the same in every process and release."""
    return zlib.crc32(aggregate.encode()) % BUCKETS


async def _take_turns(session: AsyncSession, aggregates: set[str]) -> None:
    """On SQLite there is one writer anyway. The locks are taken in one order, so that two
    transactions with the same aggregates cannot wait for each other."""
    if _sqlite(session):
        return
    hashes = sorted({zlib.crc32(a.encode()) - 2**31 for a in aggregates})
    await session.execute(
        text("SELECT pg_advisory_xact_lock(:space, h) FROM unnest(:hashes) AS h").bindparams(
            bindparam("space", _LOCK_SPACE), bindparam("hashes", hashes, type_=_INTEGERS)
        )
    )


def _message(row: Any) -> OutboxMessage:
    headers = tuple((name, value) for name, value in row.headers)
    return OutboxMessage(row.id, row.aggregatetype, row.aggregateid, row.type, row.payload, headers)


def _sqlite(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "sqlite"
