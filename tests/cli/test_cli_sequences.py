"""`orchestrate sequences`: from the databases alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.runtime.events import GROUP
from orchestrator.store import sequences
from orchestrator.store.database import Database
from orchestrator.store.migrate import TableSet, migrate
from orchestrator.store.sequences import Stream
from tests.cli.program import Cli


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A data folder of its own."""
    return Cli(tmp_path)


def came(database: Path, consumer: str, tables: TableSet, *numbers: int) -> None:
    """Numbered events of one key came to a consumer."""
    kept = sequences.orchestrator if tables == "orchestrator" else sequences.participant

    async def work() -> None:
        async with Database(f"sqlite:///{database}") as opened:
            await migrate(opened.engine, tables)
            for number in numbers:
                async with opened.transaction() as session:
                    stream = Stream(consumer, "carrier.Scanned", "p1")
                    await kept.place(session, stream, number, {}, limit=9, patience=60.0)

    database.parent.mkdir(parents=True, exist_ok=True)
    asyncio.run(work())


def test_what_is_missing_is_listed_and_skipped(cli: Cli) -> None:
    """As a table and as JSON; what is not missing only when all is asked for."""
    assert cli.call("sequences", "list").out == "nothing is missing\n"
    assert cli.call("sequences", "list", "--all").out == "no numbered events\n"
    came(cli.data / "store.db", GROUP, "orchestrator", 1, 3, 4)
    head, row = cli.call("sequences", "list").out.splitlines()
    assert head.split() == ["event", "key", "next", "behind", "it", "moved", "(UTC)"]
    assert row.split()[:8] == ["carrier.Scanned", "p1", "2", "2", "wait,", "from", "3", "on"]
    [gap] = cli.call("sequences", "list", "--json").json
    assert gap.pop("moved").endswith("+00:00")
    assert gap == {
        "consumer": "orchestrate.events",
        "event": "carrier.Scanned",
        "key": "p1",
        "next": 2,
        "waiting": 2,
        "first_waiting": 3,
        "given_up_to": None,
    }
    done = cli.call("sequences", "skip", "carrier.Scanned", "p1")
    assert (done.code, done.out) == (
        0,
        "event 3 of `carrier.Scanned` with the key `p1` is next\n",
    )


def test_a_participants_are_in_its_own_database(cli: Cli) -> None:
    """They are not the sagas', whose order is another consumer's."""
    came(cli.data / "services" / "notices.db", "notices-events", "participant", 1, 3)
    assert cli.call("sequences", "list").out == "nothing is missing\n"
    [gap] = cli.call("sequences", "list", "--service", "notices", "--json").json
    assert (gap["consumer"], gap["next"]) == ("notices-events", 2)
    skip = ("sequences", "skip", "carrier.Scanned", "p1", "--service", "notices", "--json")
    assert cli.call(*skip).json["next"] == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["carrier.Scanned", "p9"], "no numbered event `carrier.Scanned` with the key `p9`"),
        (["carrier.Scanned", "p1", "--to", "1"], "event 1 is not behind the missing one"),
        (["carrier.Scanned", "p1", "--to", "9"], "event 3 of `carrier.Scanned` with the key"),
        (["carrier.Scanned", "p1", "--service", "x"], "no service `x` has run here"),
        (["carrier.Scanned", "p1", "--service", "../x"], "no service `../x` has run here"),
    ],
)
def test_what_cannot_be_skipped_is_one_sentence(
    cli: Cli, arguments: list[str], sentence: str
) -> None:
    """With the way out."""
    came(cli.data / "store.db", GROUP, "orchestrator", 1, 3)
    assert cli.call("sequences", "skip", *arguments).refused().startswith(sentence)
