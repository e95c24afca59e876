"""The inbox: each message has one effect, and one answer that can be sent again.

All functions work in the caller's transaction, together with what the message changes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.store.errors import ConflictError
from orchestrator.store.insert import InsertOnce
from orchestrator.store.tables import inbox

#: Stands for the payload's hash of a message that came too late to be processed.
_UNDONE = ""

_add = InsertOnce(inbox, inbox.c.message_id)
_record = (
    update(inbox)
    .where(
        inbox.c.consumer == bindparam("of_consumer"), inbox.c.message_id == bindparam("of_message")
    )
    .values(answer=bindparam("answer"), processed_at=bindparam("processed_at"))
)


@dataclass(frozen=True, slots=True)
class Processed:
    """What a message's first delivery led to: its answer, as a JSON value."""

    answer: Any
    processed_at: datetime


async def claim(
    session: AsyncSession, consumer: str, message_id: str, payload: bytes
) -> Processed | None:
    """None: the message is new and ours to process in this transaction, `record` ends it.
    Otherwise what it led to before. Of two deliveries at once the primary key lets one in; the
    other waits here for its end. Raises ConflictError when the id was used with another payload."""
    if await _add(
        session,
        consumer=consumer,
        message_id=message_id,
        payload_sha256=hashlib.sha256(payload).hexdigest(),
        processed_at=datetime.now(UTC),
    ):
        return None
    found = await lookup(session, consumer, message_id, payload)
    assert found is not None, "an inbox row vanished inside its transaction"
    return found


async def hold(session: AsyncSession, consumer: str, message_id: str) -> bool:
    """Whether a message that was claimed in a transaction before this one may still be processed,
    in this one: it was not undone meanwhile. Whoever undoes it from now on waits."""
    rows = await session.execute(
        select(inbox.c.payload_sha256)
        .where(inbox.c.consumer == consumer, inbox.c.message_id == message_id)
        .with_for_update()
    )
    return rows.scalar_one_or_none() not in (None, _UNDONE)


async def forbid(session: AsyncSession, consumer: str, message_id: str) -> None:
    """A message that is undone has no effect, and no answer, when it comes only after this, or is
    claimed and not yet processed; nothing changes when it was processed before. While another
    transaction processes it, this waits."""
    if await _add(
        session,
        consumer=consumer,
        message_id=message_id,
        payload_sha256=_UNDONE,
        processed_at=datetime.now(UTC),
    ):
        return
    await session.execute(
        update(inbox)
        .where(
            inbox.c.consumer == consumer,
            inbox.c.message_id == message_id,
            inbox.c.answer.is_(None),
        )
        .values(payload_sha256=_UNDONE)
    )


async def record(session: AsyncSession, consumer: str, message_id: str, answer: Any) -> None:
    """Ends a claim with the answer (a JSON value)."""
    row = {"answer": answer, "processed_at": datetime.now(UTC)}
    await session.execute(_record, {"of_consumer": consumer, "of_message": message_id, **row})


async def lookup(
    session: AsyncSession, consumer: str, message_id: str, payload: bytes
) -> Processed | None:
    """What a message led to, None when it was not processed. Raises ConflictError."""
    rows = await session.execute(
        select(inbox).where(inbox.c.consumer == consumer, inbox.c.message_id == message_id)
    )
    row = rows.first()
    if row is None:
        return None
    if row.payload_sha256 == _UNDONE:
        return Processed(None, row.processed_at)
    if row.payload_sha256 != hashlib.sha256(payload).hexdigest():
        raise ConflictError(
            f"message `{message_id}` was processed by `{consumer}` with another body"
        )
    return Processed(row.answer, row.processed_at)


async def remove(session: AsyncSession, before: datetime, limit: int) -> int:
    """Forgets at most `limit` messages that were processed before a time; how many it was. What
    comes again after that is new, so the time has to exceed the longest retry."""
    old = (
        select(inbox.c.consumer, inbox.c.message_id)
        .where(inbox.c.processed_at < before)
        .order_by(inbox.c.processed_at)
        .limit(limit)
    )
    removed = await session.execute(
        delete(inbox)
        .where(tuple_(inbox.c.consumer, inbox.c.message_id).in_(old))
        .returning(inbox.c.message_id)
    )
    return len(removed.all())
