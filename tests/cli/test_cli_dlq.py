"""`orchestrate dlq`, from the store alone."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.messaging.deadletter import Disposition, dead_letter
from orchestrator.messaging.record import Record
from orchestrator.runtime.letter_topics import LetterTopics
from orchestrator.runtime.letters import found_in
from orchestrator.store import letters
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.cli.program import Cli

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A data folder of its own."""
    return Cli(tmp_path)


def letter(number: int, value: bytes = b'{"id": "k"}', **headers: str) -> Record:
    """A letter as it is read from its topic."""
    given = {"ce_specversion": "1.0", "ce_id": f"m{number}", "ce_type": "shop.Paid"} | headers
    given |= {"ce_source": "/x", "ce_time": "2026-03-01T12:00:00Z"}
    sent = tuple((n, v.encode()) for n, v in given.items() if v)
    read = Record("shop.events", "k", value, sent, 1, number, AT)
    group = headers.get("group", "mail-events")
    error = "no answer" if group == "orchestrate" else ConnectionError("the gateway")
    died = dead_letter(read, f"shop.events.{group}-dlt", error, Disposition.EXHAUSTED, group)
    return died._replace(partition=0, offset=number, timestamp=AT)


def keep(cli: Cli, *records: Record) -> None:
    """Puts letters into the index."""

    async def work() -> None:
        async with Database(f"sqlite:///{cli.data}/store.db") as database:
            await migrate(database.engine)
            async with database.transaction() as session:
                await letters.add(session, [found_in(r, LetterTopics([])) for r in records])

    cli.data.mkdir()
    asyncio.run(work())


def test_without_any_it_says_so(cli: Cli) -> None:
    """In words, and as an empty list; what is done to none is refused."""
    assert cli.call("dlq", "list").out == "no dead letters\n"
    assert cli.call("dlq", "list", "--error", "Down").out == "no dead letter matches\n"
    assert cli.call("dlq", "list", "--json").json == []
    refused = cli.call("dlq", "redrive", "--all").refused()
    assert refused == "no dead letter that waits matches: `orchestrate dlq list` shows them"
    assert "does not wait" in cli.call("dlq", "discard", "7").refused()
    assert "there is no dead letter 7" in cli.call("dlq", "show", "7").refused()
    assert "there is no dead letter 7" in cli.call("dlq", "edit", "7", "--data", "{}").refused()


def test_they_are_listed_by_what_they_died_of(cli: Cli) -> None:
    """Groups, then each; nothing of what they hold."""
    keep(cli, letter(1, b"secret"), letter(2), letter(3, ce_type="shop.Sent"))
    told = cli.call("dlq", "list").out.splitlines()
    assert told[1].split()[:3] == ["2", "exhausted", "ConnectionError"]
    assert told[2].split()[:3] == ["1", "exhausted", "ConnectionError"]
    assert told[3] == "3 in all; `orchestrate dlq list --each` shows each"
    each = cli.call("dlq", "list", "--each", "--limit", "2")
    assert [line.split()[0] for line in each.out.splitlines()] == ["id", "1", "2", "3"]
    assert each.out.splitlines()[-1] == "3 in all; more: --after 2"
    rest = cli.call("dlq", "list", "--each", "--after", "2", "--json").json
    assert [e["id"] for e in rest] == [3] and rest[0]["died_at"] == "2026-03-01T12:00:00Z"
    assert "secret" not in cli.call("dlq", "list", "--each", "--json").out
    [only] = cli.call("dlq", "list", "--type", "shop.Sent", "--json").json
    assert (only["count"], only["error"]) == (1, "builtins.ConnectionError")
    assert cli.call("dlq", "list", "--until", "2026-03-01", "--json").json == []
    assert len(cli.call("dlq", "list", "--since", "2026-03-01", "--json").json) == 2


def test_one_is_shown(cli: Cli) -> None:
    """With its payload, and what waits before it."""
    keep(cli, letter(1), letter(2))
    out = cli.call("dlq", "show", "2").out
    for line in (
        "error:       builtins.ConnectionError",
        "message:     the gateway",
        "consumer:    mail-events",
        "read from:   shop.events[1]@2",
        "order:       1 letter waits before it",
        '    "id": "k"',
    ):
        assert line in out.splitlines(), out
    found = cli.call("dlq", "show", "1", "--json").json
    assert (found["payload"], found["before_it"]) == ('{"id": "k"}', 0)
    assert cli.run("dlq", "show", "1", "--raw").out == '{"id": "k"}'


def test_what_is_no_text_is_shown_as_hex(cli: Cli) -> None:
    """And can be edited and discarded as any other."""
    keep(cli, letter(1, b"\x00\x01\xffAB", ce_specversion=""))
    out = cli.call("dlq", "show", "1").out
    assert "  00000000  00 01 ff 41 42" in out and out.split("payload")[1].count("...AB") == 1
    assert cli.call("dlq", "show", "1", "--json").json["hex"] == "0001ff4142"
    done = cli.call("dlq", "edit", "1", "--hex", "7b7d", "--by", "ada", "--json").json
    assert done["message_id"].startswith("m1:edited:")
    shown = cli.call("dlq", "show", "1", "--json").json
    assert (shown["state"], shown["payload"]) == ("edited", "{}")
    assert ["causationid", "m1"] in shown["headers"]
    assert [(d["deed"], d["who"]) for d in shown["deeds"]] == [("edited", "ada")]
    assert cli.call("dlq", "discard", "1", "--reason", "old").out == "discarded 1 letter\n"
    assert "does not wait" in cli.call("dlq", "edit", "1", "--data", "{}").refused()
    [gone] = cli.call("dlq", "list", "--state", "discarded", "--each", "--json").json
    assert gone["id"] == 1 and cli.call("dlq", "list").out == "no dead letters\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("redrive",),
        ("discard",),
        ("redrive", "1", "--all"),
        ("list", "--since", "yesterday"),
        ("edit", "1"),
        ("edit", "1", "--hex", "0"),
        ("edit", "1", "--hex", "00", "--data", "{}"),
        ("edit", "1", "--header", "x"),
        ("redrive", "1", "--rate", "-1"),
    ],
)
def test_wrong_calls_change_nothing(cli: Cli, arguments: tuple[str, ...]) -> None:
    """Status 2, as of every command."""
    keep(cli, letter(1))
    assert cli.call("dlq", *arguments).code == 2
    assert cli.call("dlq", "show", "1", "--json").json["deeds"] == []


def test_a_dry_run_counts(cli: Cli) -> None:
    """And talks to no server."""
    keep(cli, letter(1), letter(2))
    assert cli.call("dlq", "redrive", "--all", "--dry-run").out == "would redrive 2 letters\n"
    assert cli.call("dlq", "discard", "1", "--dry-run").out == "would discard 1 letter\n"
    assert cli.call("dlq", "redrive", "2", "--dry-run", "--json").json == {
        "redrive": 1,
        "steps": 0,
        "old": 1,
    }


def test_a_step_is_not_edited(cli: Cli) -> None:
    """Its command is the saga's."""
    keep(cli, letter(1, group="orchestrate"))
    assert "is a saga's step" in cli.call("dlq", "edit", "1", "--data", "{}").refused()


def test_what_could_not_be_read_is_not_kept(cli: Cli) -> None:
    """Unless it is meant."""
    keep(cli, letter(1))
    refused = cli.call("dlq", "edit", "1", "--header", "ce_type=").refused()
    assert "could still not be read" in refused and "--force" in refused
    assert cli.call("dlq", "edit", "1", "--header", "ce_type=", "--force").code == 0
    assert json.loads(cli.call("dlq", "show", "1", "--json").out)["type"] is None
