"""What is done to dead letters, each with who did it. All in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, delete, exists, insert, or_, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from orchestrator.store.clock import milliseconds
from orchestrator.store.letter_choice import Choice, conditions
from orchestrator.store.letters import (
    Headers,
    Letter,
    State,
    key_text,
    letter_of,
    light_columns,
    to_json,
)
from orchestrator.store.tables import dead_letter_deeds, dead_letters

#: Any number will do that no other program takes on purpose.
_ADVISORY_LOCK = 7_214_993_056_418_273


async def claim(
    session: AsyncSession, choice: Choice, run: str, after: int, limit: int, lease: float
) -> list[Letter]:
    """The first of the chosen letters behind an id that wait for somebody: for `lease` seconds they
    are this run's alone. Letters of a key on which another run is at work are left to it, so
    that two runs do not change their order."""
    if session.get_bind().dialect.name == "postgresql":
        # Two that look at the same moment would not see what the other one takes.
        await session.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
    table, other, now = dead_letters.c, aliased(dead_letters), milliseconds(session)
    at_work = and_(other.c.state == State.REDRIVING, other.c.run != run, other.c.until_ms >= now)
    free: ColumnElement[bool] = true()
    # Looked at first, because it is rare, and for each letter the question costs a scan of its key.
    if (await session.execute(select(exists().where(at_work)))).scalar_one():
        free = ~exists().where(
            other.c.consumer == table.consumer,
            other.c.topic == table.topic,
            other.c.key_text == table.key_text,
            at_work,
        )
    rows = await session.execute(
        select(*light_columns)
        .where(*conditions(choice), table.id > after, _waits(now), free)
        .order_by(table.id)
        .limit(limit)
    )
    found = [letter_of(row) for row in rows]
    if found:
        await session.execute(
            update(dead_letters)
            .where(table.id.in_([f.id for f in found]))
            .values(state=State.REDRIVING, run=run, until_ms=now + int(lease * 1000))
        )
    return found


async def settle(
    session: AsyncSession,
    letters: Sequence[Letter],
    run: str,
    state: State,
    who: str,
    note: str | None = None,
) -> None:
    """Ends a claim: they are redriven, or discarded."""
    if not letters:
        return
    ids = [each.id for each in letters]
    mine = await session.execute(
        update(dead_letters)
        .where(dead_letters.c.id.in_(ids), dead_letters.c.run == run)
        .values(state=state, until_ms=None)
        .returning(dead_letters.c.id)
    )
    await _note(session, [row.id for row in mine], state, who, note)


async def release(session: AsyncSession, letters: Sequence[Letter], run: str) -> None:
    """Gives a claim back: they wait as before."""
    for state in (State.WAITING, State.EDITED):
        ids = [e.id for e in letters if (e.state == State.EDITED) == (state is State.EDITED)]
        await session.execute(
            update(dead_letters)
            .where(dead_letters.c.id.in_(ids), dead_letters.c.run == run)
            .values(state=state, run=None, until_ms=None)
        )


async def edit(
    session: AsyncSession,
    letter: Letter,
    who: str,
    *,
    key: bytes | None,
    value: bytes,
    headers: Headers,
    message_id: str,
    type: str | None,
    was: bytes,
) -> bool:
    """Replaces what a letter holds; False when it does not wait any longer."""
    table = dead_letters.c
    changed = await session.execute(
        update(dead_letters)
        .where(table.id == letter.id, _waits(milliseconds(session)))
        .values(
            state=State.EDITED,
            run=None,
            until_ms=None,
            key=key,
            key_text=key_text(key),
            value=value,
            headers=to_json(headers),
            message_id=message_id,
            type=type,
        )
        .returning(table.id)
    )
    if not changed.all():
        return False
    note = f"was message {letter.message_id}" if letter.message_id else None
    await _note(session, [letter.id], State.EDITED, who, note, was)
    return True


async def settled_elsewhere(
    session: AsyncSession, message_id: str, state: State, who: str, note: str
) -> None:
    """What a saga's step was decided on: its letters ask for nobody any longer."""
    table = dead_letters.c
    ids = await session.execute(
        update(dead_letters)
        .where(table.message_id == message_id, _waits(milliseconds(session)))
        .values(state=state, until_ms=None)
        .returning(table.id)
    )
    await _note(session, [row.id for row in ids], state, who, note)


async def remove(session: AsyncSession, before: datetime, limit: int) -> int:
    """Forgets at most `limit` letters that died before a time and are settled, and what was done to
    them; how many it was. Those that wait are kept."""
    table = dead_letters.c
    settled = (State.REDRIVEN, State.DISCARDED)
    rows = await session.execute(
        select(table.id)
        .where(table.state.in_(settled), table.died_at < before)
        .order_by(table.id)
        .limit(limit)
    )
    old = list(rows.scalars())
    if old:
        deeds = dead_letter_deeds
        await session.execute(delete(deeds).where(deeds.c.letter.in_(old)))
        await session.execute(delete(dead_letters).where(table.id.in_(old)))
    return len(old)


def _waits(now: ColumnElement[int]) -> ColumnElement[bool]:
    """For somebody; what was being redriven longer than its lease was left by who died."""
    table = dead_letters.c
    left = and_(table.state == State.REDRIVING, table.until_ms < now)
    return or_(table.state.in_((State.WAITING, State.EDITED)), left)


async def _note(
    session: AsyncSession,
    ids: Sequence[int],
    deed: State,
    who: str,
    note: str | None,
    was: bytes | None = None,
) -> None:
    if ids:
        about = {"deed": deed, "who": who[:255], "at": datetime.now(UTC), "note": note, "was": was}
        await session.execute(insert(dead_letter_deeds), [{"letter": id, **about} for id in ids])
