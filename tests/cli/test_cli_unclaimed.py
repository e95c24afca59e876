"""`orchestrate unclaimed`: from the store alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.store import unclaimed
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.cli.program import Cli


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A data folder of its own."""
    return Cli(tmp_path)


def keep(cli: Cli, *saga_ids: str) -> None:
    """An event for each saga."""

    async def work() -> None:
        async with Database(f"sqlite:///{cli.data}/store.db") as database:
            await migrate(database.engine)
            async with database.transaction() as session:
                for id in saga_ids:
                    await unclaimed.keep(session, id, f"e:{id}", "shop.Paid", {"sum": "1.50"})

    cli.data.mkdir()
    asyncio.run(work())


def test_without_any_it_says_so(cli: Cli) -> None:
    """In words, and as an empty list."""
    assert cli.call("unclaimed").out == "no unclaimed events\n"
    assert cli.call("unclaimed", "--json").json == []


def test_they_are_listed_the_last_first(cli: Cli) -> None:
    """Payloads are shown with `--json` alone; a saga's own can be asked for."""
    keep(cli, "Order/1", "Order/2", "Trip/1")
    told = cli.call("unclaimed")
    assert told.code == 0
    assert [line.split()[0] for line in told.out.splitlines()] == [
        "saga",
        "Trip/1",
        "Order/2",
        "Order/1",
    ]
    assert "1.50" not in told.out
    [last, first] = cli.call("unclaimed", "--saga", "Order", "--json").json
    assert last.pop("received") >= first["received"]
    assert last == {
        "saga": "Order/2",
        "type": "shop.Paid",
        "id": "e:Order/2",
        "data": {"sum": "1.50"},
    }
    [only] = cli.call("unclaimed", "--limit", "1", "--json").json
    assert only["saga"] == "Trip/1"
