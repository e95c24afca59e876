"""Business keys: what a command is about is done once, under whatever message ids it comes.

All functions work in the caller's transaction, together with what the command changes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.store.insert import InsertOnce
from orchestrator.store.tables import business_keys as table

_add = InsertOnce(table, table.c.message_id)
_record = (
    update(table)
    .where(
        table.c.consumer == bindparam("of_consumer"),
        table.c.command == bindparam("of_command"),
        table.c.key_sha256 == bindparam("of_key"),
    )
    .values(
        {name: bindparam(name) for name in ("message_id", "body_sha256", "answer", "recorded_at")}
    )
)


@dataclass(frozen=True, slots=True)
class BusinessKey:
    """A consumer's command and the text of its key: equal keys have equal texts. Of the text a
    hash is stored, because a key may be long, and nobody's business."""

    consumer: str
    command: str
    text: str

    @property
    def _is_this(self) -> ColumnElement[bool]:
        return and_(
            table.c.consumer == self.consumer,
            table.c.command == self.command,
            table.c.key_sha256 == _digest(self.text),
        )


@dataclass(frozen=True, slots=True)
class Done:
    """What was done under a key: the message that did it, its answer (a JSON value), and whether
    that message said the same as the one that asks now."""

    message_id: str
    answer: Any
    same: bool


async def claim(session: AsyncSession, key: BusinessKey, message_id: str, body: str) -> Done | None:
    """None: the key is new and ours in this transaction, `record` ends it. Otherwise what was done
    under it. Of two at once the primary key lets one in; the other waits here for its end. `body`
    is what the message says, equal for equal messages."""
    if await _add(
        session,
        consumer=key.consumer,
        command=key.command,
        key_sha256=_digest(key.text),
        message_id=message_id,
        body_sha256=_digest(body),
        recorded_at=datetime.now(UTC),
    ):
        return None
    row = (await session.execute(select(table).where(key._is_this))).one()
    return Done(row.message_id, row.answer, row.body_sha256 == _digest(body))


async def record(
    session: AsyncSession, key: BusinessKey, message_id: str, body: str, answer: Any
) -> None:
    """Ends a claim with the answer (a JSON value). A key that was another message's is this one's
    from now on."""
    row = {
        "message_id": message_id,
        "body_sha256": _digest(body),
        "answer": answer,
        "recorded_at": datetime.now(UTC),
    }
    which = {
        "of_consumer": key.consumer,
        "of_command": key.command,
        "of_key": _digest(key.text),
    }
    await session.execute(_record, {**row, **which})


async def free(session: AsyncSession, key: BusinessKey) -> bool:
    """Makes a key new again; whether it was known."""
    found = await session.execute(delete(table).where(key._is_this).returning(table.c.message_id))
    return found.first() is not None


async def remove(
    consumer: str, command: str, session: AsyncSession, before: datetime, limit: int
) -> int:
    """Forgets at most `limit` keys of a command that were recorded before a time; how many it
    was."""
    one = (table.c.consumer, table.c.command, table.c.key_sha256)
    old = (
        select(*one)
        .where(
            table.c.consumer == consumer,
            table.c.command == command,
            table.c.recorded_at < before,
        )
        .limit(limit)
    )
    found = await session.execute(
        delete(table).where(tuple_(*one).in_(old)).returning(table.c.key_sha256)
    )
    return len(found.all())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
