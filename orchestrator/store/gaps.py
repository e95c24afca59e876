"""What is missing among numbered events: to be seen, and to be skipped by a person.

All functions work in the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.store.sequences import Sequences, Stream


class SkipError(Exception):
    """Something that cannot be skipped; the message says why."""


@dataclass(frozen=True, slots=True)
class Gap:
    """How far a stream is: `next` is the number that is awaited, None before any was taken. Behind
    it `waiting` events wait, the first with the number `first_waiting`; or those up to `given_up`
    are in the dead letters."""

    stream: Stream
    next: int | None
    waiting: int
    first_waiting: int | None
    given_up: int | None
    moved_at: datetime

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "consumer": self.stream.consumer,
            "event": self.stream.type,
            "key": self.stream.key,
            "next": self.next,
            "waiting": self.waiting,
            "first_waiting": self.first_waiting,
            "given_up_to": self.given_up,
            "moved": self.moved_at.isoformat(),
        }


async def listed(
    session: AsyncSession,
    sequences: Sequences,
    consumer: str,
    *,
    type: str | None = None,
    whole: bool = False,
    limit: int = 100,
) -> list[Gap]:
    """The streams of a consumer in which something is missing, the last to move first; with `whole`
    the others, too."""
    table, early = sequences.table, sequences.early
    counted = (
        select(
            early.c.type, early.c.key, func.count().label("n"), func.min(early.c.number).label("f")
        )
        .where(early.c.consumer == consumer)
        .group_by(early.c.type, early.c.key)
        .subquery()
    )
    same = and_(counted.c.type == table.c.type, counted.c.key == table.c.key)
    query = select(table, counted.c.n, counted.c.f).outerjoin(counted, same)
    query = query.where(table.c.consumer == consumer)
    if type is not None:
        query = query.where(table.c.type == type)
    if not whole:
        query = query.where(or_(table.c.broken_until.is_not(None), counted.c.n.is_not(None)))
    rows = await session.execute(query.order_by(table.c.moved_at.desc()).limit(limit))
    return [_gap(row) for row in rows]


async def skip(
    session: AsyncSession, sequences: Sequences, stream: Stream, to: int | None = None
) -> Gap:
    """Says that what is missing in a stream will not come: `to` is next, else the first that waits,
    else the one behind the missing one. Where the stream is then. Raises SkipError for a stream
    that nothing ever came of, and for a number that is not behind the missing one, or behind one
    that waits."""
    if not await sequences.lock(session, stream):
        raise SkipError(f"no numbered event {_named(stream)} has come")
    found = await _of(session, sequences, stream)
    if to is None:
        to = found.first_waiting
    if to is None and found.next is not None:
        to = found.next + 1
    if to is None:
        raise SkipError(f"no event {_named(stream)} was taken yet, and none waits: say the number")
    if found.next is not None and to <= found.next:
        raise SkipError(
            f"event {to} is not behind the missing one of {_named(stream)}, which is {found.next}"
        )
    if found.first_waiting is not None and to > found.first_waiting:
        raise SkipError(
            f"event {found.first_waiting} of {_named(stream)} has come and waits: skip to that one"
        )
    await sequences.skip(session, stream, to)
    return await _of(session, sequences, stream)


async def _of(session: AsyncSession, sequences: Sequences, stream: Stream) -> Gap:
    table, early = sequences.table, sequences.early
    count = select(func.count()).where(stream.within(early)).scalar_subquery()
    first = select(func.min(early.c.number)).where(stream.within(early)).scalar_subquery()
    query = select(table, count.label("n"), first.label("f")).where(stream.within(table))
    return _gap((await session.execute(query)).one())


def _gap(row: Any) -> Gap:
    stream = Stream(row.consumer, row.type, row.key)
    return Gap(stream, row.next, row.n or 0, row.f, row.broken_until, row.moved_at)


def _named(stream: Stream) -> str:
    return f"`{stream.type}` with the key `{stream.key[:200]}`"
