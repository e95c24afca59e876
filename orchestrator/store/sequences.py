"""Numbered events: each is taken once and in its turn; what comes early waits.

All functions work in the caller's transaction, together with what the event changes. The row of a
stream is locked by who places an event in it, so that one event of a stream is handled at a time,
in whatever process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, and_, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.store import tables
from orchestrator.store.clock import milliseconds
from orchestrator.store.insert import insert_into


class Place(Enum):
    """What an event is in its stream."""

    #: Its turn: the next number is awaited from now on.
    TAKEN = auto()
    #: Its number was taken before, or waits.
    DUPLICATE = auto()
    #: It waits for those before it.
    EARLY = auto()
    #: It comes before the first one that was ever taken: its turn is over.
    STALE = auto()
    #: Others were given up because one did not come, and it stands behind that one, too.
    BEHIND = auto()
    #: Too many wait already.
    FULL = auto()


@dataclass(frozen=True, slots=True)
class Stream:
    """The events of one type and key, as one consumer takes them."""

    consumer: str
    type: str
    key: str

    def within(self, table: Table) -> ColumnElement[bool]:
        """Its rows of a table."""
        return and_(
            table.c.consumer == self.consumer,
            table.c.type == self.type,
            table.c.key == self.key,
        )


@dataclass(frozen=True, slots=True)
class Early:
    """An event that waited: its number, and the record as the caller wrote it (a JSON value)."""

    number: int
    record: Any


class Sequences:
    """The two tables of a participant, or of the orchestrator."""

    def __init__(self, table: Table, early: Table) -> None:
        self.table = table
        self.early = early

    async def place(
        self,
        session: AsyncSession,
        stream: Stream,
        number: int,
        record: Any,
        *,
        limit: int,
        patience: float,
    ) -> Place:
        """Where an event stands; taken is what the caller has to handle in this transaction. An
        early one is kept, at most `limit` for each stream and `patience` seconds long. A stream
        begins with 1, or with 0 when that comes first."""
        row = await self._locked(session, stream)
        if row.next is None:
            if number not in (0, 1):
                return await self._keep(session, stream, row, number, record, limit, patience)
            await self._move(session, stream, first=number, next=number + 1)
            return Place.TAKEN
        if number < row.first:
            return Place.STALE
        if number < row.next:
            return Place.DUPLICATE
        if number > row.next:
            if row.broken_until is not None:
                await self._break(session, stream, row, number)
                return Place.BEHIND
            return await self._keep(session, stream, row, number, record, limit, patience)
        await self._advance(session, stream, row)
        await self._forget(session, stream, number)
        return Place.TAKEN

    async def turn(self, session: AsyncSession, stream: Stream) -> Early | None:
        """The early event whose turn it is, to be placed again; None when there is none."""
        table, early = self.table, self.early
        found = await session.execute(
            select(early.c.number, early.c.record)
            .join(table, and_(stream.within(table), table.c.next == early.c.number))
            .where(stream.within(early))
        )
        row = found.first()
        return None if row is None else Early(row.number, row.record)

    async def block(self, session: AsyncSession, stream: Stream, number: int) -> None:
        """An event was given up in its turn, so it is missing: those behind it are `BEHIND`, until
        it comes again."""
        row = await self._locked(session, stream)
        if row.next is None:
            await self._move(session, stream, first=number, next=number, broken_until=number)
        elif number == row.next:
            await self._break(session, stream, row, number)
        await self._forget(session, stream, number)

    async def waiting(self, session: AsyncSession, consumer: str, limit: int) -> list[Stream]:
        """At most `limit` streams in which an event's time is over, or whose turn it is: that is
        left by a consumer that died."""
        table, early = self.table, self.early
        same = and_(table.c.type == early.c.type, table.c.key == early.c.key)
        turn = exists().where(table.c.consumer == consumer, same, table.c.next == early.c.number)
        rows = await session.execute(
            select(early.c.type, early.c.key)
            .where(
                early.c.consumer == consumer,
                or_(early.c.until_ms <= milliseconds(session), turn),
            )
            .distinct()
            .limit(limit)
        )
        return [Stream(consumer, row.type, row.key) for row in rows]

    async def give_up(self, session: AsyncSession, stream: Stream) -> list[Early]:
        """Ends the wait of a stream whose time is over: all that waits is the caller's now, to be
        buried, and whatever comes behind the missing one is `BEHIND`, until that one comes. A
        stream of which nothing was ever taken begins with the first that waits instead: what came
        before the consumer did is not missing. Empty when there is one whose `turn` it is."""
        row, early = await self._locked(session, stream), self.early
        rows = await session.execute(
            select(early.c.number, early.c.record, early.c.until_ms)
            .where(stream.within(early))
            .order_by(early.c.number)
        )
        found = list(rows)
        now = (await session.execute(select(milliseconds(session)))).scalar_one()
        if not found or found[0].number == row.next or all(r.until_ms > now for r in found):
            return []
        if row.next is None:
            await self._move(session, stream, first=found[0].number, next=found[0].number)
            return []
        await session.execute(delete(early).where(stream.within(early)))
        await self._break(session, stream, row, found[-1].number)
        return [Early(r.number, r.record) for r in found]

    async def missing(self, session: AsyncSession, stream: Stream) -> int | None:
        """The number that is awaited; None before any was taken."""
        rows = await session.execute(select(self.table.c.next).where(stream.within(self.table)))
        found: int | None = rows.scalar_one_or_none()
        return found

    async def skip(self, session: AsyncSession, stream: Stream, number: int) -> None:
        """By a person's decision: whatever is before `number` will not come, it is next."""
        row = await self._locked(session, stream)
        first = number if row.first is None else row.first
        await self._move(session, stream, first=first, next=number, broken_until=None)
        early = self.early
        await session.execute(delete(early).where(stream.within(early), early.c.number < number))

    async def lock(self, session: AsyncSession, stream: Stream) -> bool:
        """Whether there is such a stream: then it is nobody else's until the transaction's end."""
        query = select(self.table.c.key).where(stream.within(self.table)).with_for_update()
        return (await session.execute(query)).first() is not None

    async def remove(
        self, consumer: str, session: AsyncSession, before: datetime, limit: int
    ) -> int:
        """Forgets at most `limit` streams that did not move since a time and in which nothing
        waits; how many it was. They begin anew."""
        table, early = self.table, self.early
        waits = exists().where(
            early.c.consumer == consumer, early.c.type == table.c.type, early.c.key == table.c.key
        )
        rows = await session.execute(
            select(table.c.type, table.c.key)
            .where(table.c.consumer == consumer, table.c.moved_at < before, ~waits)
            .limit(limit)
        )
        streams = [Stream(consumer, row.type, row.key) for row in rows]
        for stream in streams:
            await session.execute(delete(table).where(stream.within(table)))
        return len(streams)

    async def _locked(self, session: AsyncSession, stream: Stream) -> Row[Any]:
        """The stream's row, which nobody else has until the transaction's end."""
        query = select(self.table).where(stream.within(self.table)).with_for_update()
        # Most often it is there: asking first spares every event but the first an insert.
        if (row := (await session.execute(query)).first()) is not None:
            return row
        await session.execute(
            insert_into(session, self.table)
            .values(
                consumer=stream.consumer,
                type=stream.type,
                key=stream.key,
                moved_at=datetime.now(UTC),
            )
            .on_conflict_do_nothing()
        )
        return (await session.execute(query)).one()

    async def _keep(
        self,
        session: AsyncSession,
        stream: Stream,
        row: Row[Any],
        number: int,
        record: Any,
        limit: int,
        patience: float,
    ) -> Place:
        early = self.early
        numbers: Sequence[int] = (
            (await session.execute(select(early.c.number).where(stream.within(early))))
            .scalars()
            .all()
        )
        if number in numbers:
            return Place.DUPLICATE
        if len(numbers) >= limit:
            await self._break(session, stream, row, number)
            return Place.FULL
        await session.execute(
            early.insert().values(
                consumer=stream.consumer,
                type=stream.type,
                key=stream.key,
                number=number,
                record=record,
                until_ms=milliseconds(session) + int(patience * 1000),
            )
        )
        return Place.EARLY

    async def _forget(self, session: AsyncSession, stream: Stream, number: int) -> None:
        early = self.early
        await session.execute(delete(early).where(stream.within(early), early.c.number == number))

    async def _advance(self, session: AsyncSession, stream: Stream, row: Row[Any]) -> None:
        next, broken = row.next + 1, row.broken_until
        broken = None if broken is not None and next > broken else broken
        await self._move(session, stream, next=next, broken_until=broken)

    async def _break(
        self, session: AsyncSession, stream: Stream, row: Row[Any], until: int
    ) -> None:
        await self._move(session, stream, broken_until=max(until, row.broken_until or until))

    async def _move(self, session: AsyncSession, stream: Stream, **values: Any) -> None:
        await session.execute(
            update(self.table)
            .where(stream.within(self.table))
            .values(moved_at=datetime.now(UTC), **values)
        )


participant = Sequences(tables.sequences, tables.early_messages)
orchestrator = Sequences(tables.event_sequences, tables.early_events)
