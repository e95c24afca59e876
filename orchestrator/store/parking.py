"""Messages that wait for their next attempt, and those that queue behind them.

All functions work in the caller's transaction. A lane is what order is kept within; its first row
is the one that waits, the others queue. One that is held is a dead letter: it waits for what a
person decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from orchestrator.store.clock import milliseconds
from orchestrator.store.insert import insert_into
from orchestrator.store.tables import parked

#: When a message is due that is held.
_NEVER = 2**62


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that is due: the record as the caller wrote it (a JSON value), and how many
    attempts it has had."""

    position: int
    record: Any
    attempts: int


async def is_parked(session: AsyncSession, consumer: str, lane: str) -> bool:
    """Whether something waits in a lane."""
    here = exists().where(parked.c.consumer == consumer, parked.c.lane == lane)
    return bool((await session.execute(select(here))).scalar_one())


async def add(
    session: AsyncSession,
    consumer: str,
    lane: str,
    place: str,
    record: Any,
    *,
    attempts: int = 0,
    wait: float = 0.0,
    error: str | None = None,
) -> None:
    """Adds a message at a lane's end, due in `wait` seconds; `place` is where it was read, so that
    one that is read again is added once."""
    await session.execute(
        insert_into(session, parked)
        .values(
            consumer=consumer,
            lane=lane,
            place=place,
            record=record,
            attempts=attempts,
            due_ms=milliseconds(session) + int(wait * 1000),
            error=error,
        )
        .on_conflict_do_nothing()
    )


async def hold(session: AsyncSession, consumer: str, lane: str, place: str, record: Any) -> None:
    """Holds a lane for a message that is a dead letter now, whether it has waited before or not."""
    await session.execute(
        insert_into(session, parked)
        .values(consumer=consumer, lane=lane, place=place, record=record, attempts=0, due_ms=_NEVER)
        .on_conflict_do_update(
            index_elements=[parked.c.consumer, parked.c.place], set_={"due_ms": _NEVER}
        )
    )


async def revive(session: AsyncSession, consumer: str, place: str, record: Any) -> bool:
    """A message that is held was sent again, as this record: its attempts begin anew. False when
    it is not held."""
    found = await session.execute(
        update(parked)
        .where(_held(consumer), parked.c.place == place)
        .values(record=record, attempts=0, due_ms=milliseconds(session))
        .returning(parked.c.position)
    )
    return bool(found.all())


async def release(session: AsyncSession, consumer: str, place: str | None = None) -> None:
    """Gives up a message that is held, or all of them: what queues behind goes on."""
    query = delete(parked).where(_held(consumer))
    await session.execute(query if place is None else query.where(parked.c.place == place))


def _held(consumer: str) -> ColumnElement[bool]:
    return and_(parked.c.consumer == consumer, parked.c.due_ms == _NEVER)


async def due(session: AsyncSession, consumer: str, limit: int, lease: float) -> list[Parked]:
    """At most `limit` messages that are first in their lane and due, the longest due first; for
    `lease` seconds they are the caller's alone."""
    before = aliased(parked)
    first = ~exists().where(
        before.c.consumer == parked.c.consumer,
        before.c.lane == parked.c.lane,
        before.c.position < parked.c.position,
    )
    now = milliseconds(session)
    rows = await session.execute(
        select(parked.c.position, parked.c.record, parked.c.attempts)
        .where(parked.c.consumer == consumer, parked.c.due_ms <= now, first)
        .order_by(parked.c.due_ms, parked.c.position)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = [Parked(row.position, row.record, row.attempts) for row in rows]
    if found:
        await session.execute(
            update(parked)
            .where(parked.c.position.in_([p.position for p in found]))
            .values(due_ms=now + int(lease * 1000))
        )
    return found


async def again(
    session: AsyncSession, position: int, attempts: int, wait: float, error: str
) -> None:
    """Another attempt failed: the next is due in `wait` seconds."""
    await session.execute(
        update(parked)
        .where(parked.c.position == position)
        .values(attempts=attempts, due_ms=milliseconds(session) + int(wait * 1000), error=error)
    )


async def remove(session: AsyncSession, position: int) -> None:
    """Ends the wait of a message; the one behind it is first."""
    await session.execute(delete(parked).where(parked.c.position == position))
