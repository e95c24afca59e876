"""Events that came for a saga that was not there: kept for when it is, and to be seen.

All functions work in the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.store.insert import insert_into
from orchestrator.store.tables import unclaimed_events as table


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """An event for the saga of an id (`<saga>/<key>`), in JSON wire form."""

    position: int
    saga_id: str
    event_id: str
    type: str
    data: Any
    received_at: datetime

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "saga": self.saga_id,
            "type": self.type,
            "id": self.event_id,
            "received": self.received_at.isoformat(),
            "data": self.data,
        }


async def keep(session: AsyncSession, saga_id: str, event_id: str, type: str, data: Any) -> None:
    """Keeps an event for a saga; once, however often it comes."""
    await session.execute(
        insert_into(session, table)
        .values(
            saga_id=saga_id,
            event_id=event_id,
            type=type,
            data=data,
            received_at=datetime.now(UTC),
        )
        .on_conflict_do_nothing()
    )


async def claim(
    session: AsyncSession, saga_id: str, after: int = 0, limit: int = 100
) -> list[Unclaimed]:
    """The first events that are kept for a saga, behind a position, in the order of their coming.
    From then on they are claimed, but the same question has the same answer: who asked may not
    have lived to see it."""
    rows = await session.execute(
        select(table)
        .where(table.c.saga_id == saga_id, table.c.position > after)
        .order_by(table.c.position)
        .limit(limit)
    )
    found = [_event(row) for row in rows]
    if found:
        await session.execute(
            update(table)
            .where(
                table.c.saga_id == saga_id,
                table.c.position.between(found[0].position, found[-1].position),
                table.c.claimed_at.is_(None),
            )
            .values(claimed_at=datetime.now(UTC))
        )
    return found


async def delivered(session: AsyncSession, saga_id: str, event_id: str) -> None:
    """The saga was there after all, and has the event."""
    await session.execute(
        update(table)
        .where(table.c.saga_id == saga_id, table.c.event_id == event_id)
        .values(claimed_at=datetime.now(UTC))
    )


async def listed(
    session: AsyncSession, saga: str | None = None, limit: int = 100
) -> list[Unclaimed]:
    """What no saga has claimed, the last to come first; of one saga by its name."""
    query = select(table).where(table.c.claimed_at.is_(None))
    if saga is not None:
        query = query.where(table.c.saga_id.startswith(f"{saga}/", autoescape=True))
    rows = await session.execute(query.order_by(table.c.position.desc()).limit(limit))
    return [_event(row) for row in rows]


async def remove(session: AsyncSession, before: datetime, limit: int) -> int:
    """Forgets at most `limit` events that came before a time, claimed or not; how many it was."""
    old = (
        select(table.c.position)
        .where(table.c.received_at < before)
        .order_by(table.c.received_at)
        .limit(limit)
    )
    removed = await session.execute(
        delete(table).where(table.c.position.in_(old)).returning(table.c.position)
    )
    return len(removed.all())


def _event(row: Any) -> Unclaimed:
    return Unclaimed(row.position, row.saga_id, row.event_id, row.type, row.data, row.received_at)
