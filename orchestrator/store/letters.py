"""The index of dead letters: written by whoever reads their topics, read by a person.

All functions work in the caller's transaction. Lists are pages behind an id, so that it does not
matter how many letters there are.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import String, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.store.insert import insert_into
from orchestrator.store.letter_choice import Choice, conditions
from orchestrator.store.tables import dead_letter_deeds, dead_letters

#: Letters of a page.
_PAGE = 500

Headers = tuple[tuple[str, bytes], ...]


class State(StrEnum):
    """`waiting` and `edited` wait for a person; `redriving` is under way, or was when somebody
    died; the others are settled."""

    WAITING = "waiting"
    EDITED = "edited"
    REDRIVING = "redriving"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"


#: What still asks for a person.
OPEN = (State.WAITING, State.EDITED, State.REDRIVING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A dead letter as it was read: its place among the letters, where it was first read and by
    whom, what it is, why and when it died. Texts are as long as they come; lists cut them."""

    letter_topic: str
    letter_partition: int
    letter_offset: int
    flow: str | None
    topic: str | None
    partition: int | None
    offset: int | None
    consumer: str | None
    type: str | None
    message_id: str | None
    saga_id: str | None
    disposition: str
    error: str | None
    message: str
    place: str | None
    died_at: datetime
    holds: bool
    after_run: str | None
    after_letter: int | None
    key: bytes | None
    value: bytes
    headers: Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A row of the index, without its bytes."""

    id: int
    flow: str | None
    topic: str | None
    partition: int | None
    offset: int | None
    consumer: str | None
    type: str | None
    key: str | None
    message_id: str | None
    saga_id: str | None
    disposition: str
    error: str | None
    message: str
    place: str | None
    died_at: datetime
    holds: bool
    state: str
    run: str | None
    after_letter: int | None
    letter_topic: str
    letter_partition: int
    letter_offset: int


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of a letter."""

    key: bytes | None
    value: bytes
    headers: Headers


@dataclass(frozen=True, slots=True)
class Group:
    """Letters that died of the same error at the same place; `example` is the last one's id."""

    count: int
    disposition: str
    error: str | None
    place: str | None
    consumer: str | None
    type: str | None
    first: datetime
    last: datetime
    example: int


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did to a letter."""

    deed: str
    who: str
    at: datetime
    note: str | None


async def add(session: AsyncSession, found: Sequence[Found]) -> int:
    """Adds letters, each once however often it is read; how many were new."""
    if not found:
        return 0
    added = await session.execute(
        insert_into(session, dead_letters).on_conflict_do_nothing().returning(dead_letters.c.id),
        [_row(f) for f in found],
    )
    return len(added.all())


async def count(session: AsyncSession, choice: Choice) -> int:
    """How many letters are chosen."""
    query = select(func.count()).select_from(dead_letters).where(*conditions(choice))
    return (await session.execute(query)).scalar_one()


async def groups(session: AsyncSession, choice: Choice, limit: int = 1000) -> list[Group]:
    """What the chosen letters died of, the largest group first."""
    table = dead_letters.c
    by = (table.disposition, table.error, table.place, table.consumer, table.type)
    rows = await session.execute(
        select(
            func.count().label("count"),
            *by,
            func.min(table.died_at).label("first"),
            func.max(table.died_at).label("last"),
            func.max(table.id).label("example"),
        )
        .where(*conditions(choice))
        .group_by(*by)
        .order_by(func.count().desc(), func.max(table.id).desc())
        .limit(limit)
    )
    return [Group(*row) for row in rows]


async def page(
    session: AsyncSession, choice: Choice, after: int = 0, limit: int = _PAGE
) -> list[Letter]:
    """The first of the chosen letters behind an id."""
    rows = await session.execute(
        select(*_LIGHT)
        .where(*conditions(choice), dead_letters.c.id > after)
        .order_by(dead_letters.c.id)
        .limit(limit)
    )
    return [letter_of(row) for row in rows]


async def find(session: AsyncSession, id: int) -> Letter | None:
    """One letter."""
    row = (await session.execute(select(*_LIGHT).where(dead_letters.c.id == id))).first()
    return None if row is None else letter_of(row)


async def bodies(session: AsyncSession, ids: Sequence[int]) -> dict[int, Body]:
    """The bytes of some letters, by their ids."""
    table = dead_letters.c
    rows = await session.execute(
        select(table.id, table.key, table.value, table.headers).where(table.id.in_(ids))
    )
    return {row.id: Body(row.key, row.value, from_json(row.headers)) for row in rows}


async def before(session: AsyncSession, letter: Letter) -> int:
    """How many letters of its consumer, topic and key wait before it."""
    table = dead_letters.c
    if letter.key is None:
        return 0
    query = select(func.count()).where(
        table.consumer == letter.consumer,
        table.topic == letter.topic,
        table.key_text == letter.key,
        table.id < letter.id,
        table.state.in_(OPEN),
    )
    return (await session.execute(query)).scalar_one()


async def came_back(session: AsyncSession, run: str) -> int:
    """How many letters have died again after a redrive sent them."""
    query = select(func.count()).where(dead_letters.c.after_run == run)
    return (await session.execute(query)).scalar_one()


async def deeds(session: AsyncSession, id: int) -> list[Deed]:
    """What was done to a letter, in its order."""
    table = dead_letter_deeds.c
    rows = await session.execute(
        select(table.deed, table.who, table.at, table.note)
        .where(table.letter == id)
        .order_by(table.id)
    )
    return [Deed(*row) for row in rows]


def to_json(headers: Headers) -> list[list[str]]:
    """Headers as SQL keeps them."""
    return [[name, base64.b64encode(value).decode()] for name, value in headers]


def from_json(found: Any) -> Headers:
    """Headers out of SQL."""
    return tuple((name, base64.b64decode(value)) for name, value in found)


def key_text(key: bytes | None) -> str | None:
    """A key as it is shown: what is no text is escaped."""
    if key is None:
        return None
    return key.decode("utf-8", "backslashreplace").replace("\0", "\\x00")[:512]


def letter_of(row: Any) -> Letter:
    """A row of `light_columns`."""
    return Letter(**row._mapping)


_LIGHT = [
    dead_letters.c.key_text.label("key") if name == "key" else dead_letters.c[name]
    for name in Letter.__slots__
]
light_columns = tuple(_LIGHT)


def _row(found: Found) -> dict[str, Any]:
    row = {name: getattr(found, name) for name in Found.__slots__}
    for name, value in row.items():
        type = dead_letters.c[name].type
        if isinstance(value, str) and isinstance(type, String):
            row[name] = value[: type.length]
    row |= {
        "key_text": key_text(found.key),
        "headers": to_json(found.headers),
        "state": State.WAITING,
    }
    return row
