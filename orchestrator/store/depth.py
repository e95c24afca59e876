"""How much waits in a participant's tables."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.store.tables import outbox_held, outbox_pending, parked


class Depth(NamedTuple):
    """Messages that are to be published, those of them whose topic refused one of their key
    (keys), and events of a consumer that wait for another attempt."""

    outbox: int
    refused: int
    parked: int


async def depth(session: AsyncSession, consumer: str) -> Depth:
    """In whole tables, which hold only what waits."""
    counts = (
        select(func.count()).select_from(outbox_pending),
        select(func.count()).select_from(outbox_held),
        select(func.count()).select_from(parked).where(parked.c.consumer == consumer),
    )
    return Depth(*[int((await session.execute(count)).scalar_one()) for count in counts])
