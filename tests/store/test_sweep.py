"""What is old is found by an index, however much there is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from orchestrator.store import business_keys, inbox, outbox, sequences, unclaimed
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate

OLD = datetime(2020, 1, 1, tzinfo=UTC)

REMOVES: dict[str, Callable[[AsyncSession, datetime, int], Awaitable[int]]] = {
    "inbox": inbox.remove,
    "outbox": outbox.remove,
    "sequences": partial(sequences.participant.remove, "stock-events"),
    "business_keys": partial(business_keys.remove, "stock", "stock.Take"),
    "unclaimed_events": unclaimed.remove,
}


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[tuple[str, Any]]]:
    """What is executed meanwhile."""
    found: list[tuple[str, Any]] = []

    def heard(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        found.append((statement, parameters))

    event.listen(engine.sync_engine, "before_cursor_execute", heard)
    try:
        yield found
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", heard)


@pytest.mark.parametrize("table", REMOVES)
async def test_no_table_is_read_whole(database: Database, table: str) -> None:
    """By the plans of the statements that remove what is old."""
    await migrate(database.engine)
    await migrate(database.engine, "participant")
    postgres = database.engine.dialect.name == "postgresql"
    explain = "EXPLAIN" if postgres else "EXPLAIN QUERY PLAN"
    async with database.transaction() as session:
        with statements(database.engine) as executed:
            await REMOVES[table](session, OLD, 1000)
        if postgres:  # a small table is read whole, unless there is an index and it must be taken
            await session.execute(text("SET LOCAL enable_seqscan = off"))
        connection = await session.connection()
        plans = [
            str(row[-1] if not postgres else row[0])
            for statement, parameters in executed
            for row in await connection.exec_driver_sql(f"{explain} {statement}", parameters)
        ]
    assert any(table in line for line in plans), plans
    whole = [p for p in plans if "Seq Scan" in p or ("SCAN " in p and " USING " not in p)]
    assert whole == []
