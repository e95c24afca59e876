"""`orchestrate test`: verdicts for people, for programs and for build servers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from orchestrator.cli.choosing import chooser
from tests.cli.program import PROGRAM, REPOSITORY, Cli, environment

SAGA = """module m
service bank {
  command Pay key id { id: string  sum: int } replies Paid fails Declined
  command Refund key id { id: string } replies Refunded
  event Paid key id { id: string  ref: string }
  event Declined key id { id: string  why: string }
  event Refunded key id { id: string }
}
saga Buy(id: string) -> string key id within 1h {
  step first = bank.Pay(id: id, sum: 1) undo bank.Refund(id: id)
  step second = bank.Pay(id: id, sum: 2) undo bank.Refund(id: id)
  return second.ref
}
"""
GOOD = 'scenario "it works" { run Buy(id: "1") expect bank.Pay expect result "ref" }\n'
BAD = """scenario "it is declined" {
  given bank.Pay(sum: 2) fails Declined(why: "limit") after 3s
  run Buy(id: "1")
  expect bank.Pay(sum: 1)
  expect bank.Refund(id: "2")
  expect result "ref"
}
"""
Write = Callable[[str, str], Path]


def test_scenarios_that_hold(cli: Cli, write: Write) -> None:
    """Each is a line with its place and its virtual time; exit status 0."""
    write("m.flow", SAGA + GOOD)
    done = cli.run("test", "m.flow")
    assert (done.code, done.err) == (0, "")
    first, last = done.out.splitlines()
    assert first == "✓ m.flow:14 it works (0s)"
    assert last.startswith("1 passed in ")


def test_a_scenario_that_fails_is_shown_side_by_side(cli: Cli, write: Write) -> None:
    """What is expected stands beside what happened, with virtual times; exit status 1."""
    write("m.flow", SAGA + GOOD + BAD)
    done = cli.run("test", ".")
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert done.code == 1
    assert lines[1:-1] == [
        "✗ m.flow:15 it is declined",
        "expected at what happened",
        "✓ expect bank.Pay(sum: 1) 0s → bank.Pay(sum: 1)",
        '0s ← Paid(ref: "ref")',
        "0s → bank.Pay(sum: 2)",
        '3s ← Declined(why: "limit")',
        '✗ expect bank.Refund(id: "2") 3s → bank.Refund() (undo)',
        'id is "1"',
        "3s ← Refunded()",
        '✗ expect result "ref" 3s failed: bank.Pay failed: Declined(why: "limit")',
        'it failed: bank.Pay failed: Declined(why: "limit")',
        "",
    ]
    assert lines[-1].startswith("1 passed, 1 failed in ")


def test_what_cannot_start_says_why(cli: Cli, write: Write) -> None:
    """No table: nothing happened."""
    write("m.flow", SAGA + 'scenario "no key" { run Buy(id: "") expect parked }')
    done = cli.run("test", "m.flow")
    assert (done.code, done.out.splitlines()[:2]) == (
        1,
        ["✗ m.flow:14 no key", "  cannot start: `Buy` has an empty key for this input"],
    )


def test_verdicts_as_json(cli: Cli, write: Write) -> None:
    """Every expectation and the whole course are there."""
    write("m.flow", SAGA + GOOD + BAD)
    done = cli.run("test", "m.flow", "--json")
    found = done.json
    assert (done.code, found["ok"], found["passed"], found["failed"]) == (1, False, 1, 1)
    bad = found["scenarios"][1]
    assert (bad["title"], bad["file"], bad["line"]) == ("it is declined", "m.flow", 15)
    assert (bad["end"], bad["seconds"]) == ("failed", 3.0)
    assert [e["ok"] for e in bad["expectations"]] == [True, False, False]
    assert bad["course"][3] == {
        "at": 3.0,
        "event": "failed",
        "text": 'Declined(why: "limit")',
        "path": "second",
    }


def test_verdicts_for_a_build_server(cli: Cli, write: Write) -> None:
    """JUnit's XML: a case for each scenario, a failure with both courses."""
    write("m.flow", SAGA + GOOD + BAD)
    assert cli.run("test", "m.flow", "--junit", "out.xml").code == 1
    root = ElementTree.parse(cli.cwd / "out.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    good, bad = root.iter("testcase")
    assert (good.get("name"), list(good)) == ("it works", [])
    failure = bad.find("failure")
    assert failure is not None and failure.text
    assert "expect result" in str(failure.get("message"))
    assert "Declined" in failure.text


def test_only_some_are_run(cli: Cli, write: Write) -> None:
    """`-k` chooses by words of the title, the saga and the file."""
    write("m.flow", SAGA + GOOD + BAD)
    assert cli.run("test", "m.flow", "-k", "works").code == 0
    found = cli.run("test", "m.flow", "-k", "not works and buy", "--json").json
    assert [s["title"] for s in found["scenarios"]] == ["it is declined"]


@pytest.mark.parametrize(
    ("expression", "text", "fits"),
    [
        ("", "anything", True),
        ("card", "A declined Card", True),
        ("declined card", "a declined card", True),
        ("not card", "a declined card", False),
        ("card and not limit", "the card's limit", False),
        ("trip or card and limit", "a trip", True),
        ("trip or card and limit", "a card", False),
    ],
)
def test_words_are_joined(expression: str, text: str, fits: bool) -> None:
    """`or` is looser than `and`, `not` is tightest; what is between is looked for as it is."""
    assert chooser(expression)(text) is fits


def test_nothing_to_run_is_an_error(cli: Cli, write: Write) -> None:
    """A test run that tests nothing is not a success."""
    write("m.flow", SAGA + GOOD)
    assert cli.run("test", "m.flow", "-k", "foo").refused() == "no scenario holds `foo` in m.flow"
    write("m.flow", SAGA)
    assert cli.run("test", "m.flow").refused() == "no scenario in m.flow"


def test_a_flow_with_errors_is_not_run(cli: Cli, write: Write) -> None:
    """The findings are shown, as by every command."""
    write("m.flow", SAGA + 'scenario "it" { run Byu(id: "1") }')
    done = cli.run("test", "m.flow")
    assert (done.code, done.out) == (1, "")
    assert "no saga named `Byu`" in done.err


def test_the_flows_that_ship_hold(cli: Cli) -> None:
    """The scenarios of `flows/`."""
    done = cli.run("test", REPOSITORY / "flows", "--json")
    wrong = [s for s in done.json["scenarios"] if not s["ok"]]
    assert (done.code, wrong) == (0, [])


def test_an_interrupt_ends_it_quietly(cli: Cli, write: Write) -> None:
    """Ctrl-C: exit status 130, and no traceback."""
    endless = "saga On(id: string) key id { while true { sleep 1s } }\n"
    many = "".join(f'scenario "{n}" {{ run On(id: "1") }}\n' for n in range(500))
    write("m.flow", SAGA + endless + many)
    running = subprocess.Popen(
        [*PROGRAM, "test", "m.flow"],
        cwd=cli.cwd,
        env=environment(cli.cwd, {"PYTHONUNBUFFERED": "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout
    assert running.stdout.readline().startswith("✓")
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=30)
    assert (running.returncode, err) == (130, "")


def test_no_servers_library_is_loaded(cli: Cli, write: Write) -> None:
    """The command starts fast: it imports neither Temporal's client nor Kafka's nor SQL's."""
    write("m.flow", SAGA + GOOD)
    code = """
import json, sys
from orchestrator.cli.app import app
try:
    app(["test", "m.flow"], prog_name="orchestrate")
except SystemExit as end:
    assert end.code == 0, end.code
print(json.dumps([m for m in ("temporalio", "aiokafka", "sqlalchemy") if m in sys.modules]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cli.cwd,
        env=environment(cli.cwd),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []
