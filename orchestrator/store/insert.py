"""`INSERT … ON CONFLICT`, which both databases have in the same words."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession


def insert_into(session: AsyncSession, table: Table) -> postgresql.Insert | sqlite.Insert:
    """The dialect's insert, with `on_conflict_do_nothing` and `on_conflict_do_update`."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


class InsertOnce:
    """An insert that does nothing when the row is there already. It is made once, for every message
    passes one: measured, making a statement costs half of what executing it does."""

    def __init__(self, table: Table, returning: Column[Any]) -> None:
        self._by_dialect = {
            "postgresql": postgresql.insert(table).on_conflict_do_nothing().returning(returning),
            "sqlite": sqlite.insert(table).on_conflict_do_nothing().returning(returning),
        }

    async def __call__(self, session: AsyncSession, **row: Any) -> bool:
        """Whether it was inserted. Of two at once one inserts, the other waits here for its end."""
        statement = self._by_dialect[session.get_bind().dialect.name]
        return (await session.execute(statement, row)).first() is not None
