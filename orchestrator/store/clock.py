"""The database's clock: programs on several machines share it."""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, literal_column
from sqlalchemy.ext.asyncio import AsyncSession


def milliseconds(session: AsyncSession) -> ColumnElement[int]:
    """Since 1970, at the moment of the statement."""
    clock = (
        "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
        if session.get_bind().dialect.name == "sqlite"
        else "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
    )
    return literal_column(clock, BigInteger)
