"""The tutorial's files do what the tutorial says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from dsl.format import format
from dsl.load import load
from dsl.parse import parse
from dsl.source import Source
from orchestrator.testing.scenarios import run_scenarios
from tests.cli.program import Cli, Dev

DOCS = Path(__file__).parents[2] / "docs"
README = DOCS.parent / "README.md"


def named_blocks(text: str) -> dict[str, str]:
    """The code blocks that stand under a line with nothing but a file's name."""
    found = re.findall(r"^`([\w/.]+)`\n\n```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return dict(found)


@pytest.fixture
def trip(tmp_path: Path) -> Path:
    """The tutorial's folder."""
    for name, text in named_blocks((DOCS / "tutorial.md").read_text()).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_the_flows_check(trip: Path) -> None:
    """The tutorial's flows have no findings."""
    assert load([trip / "trip"]).diagnostics == ()


def test_the_readme_flow_parses() -> None:
    """The README's flow is of the language."""
    text = next(
        b for b in re.findall(r"```\n(.*?)```", README.read_text(), re.DOTALL) if "saga" in b
    )
    _, diagnostics = parse(Source("README.md", "module readme\n" + text))
    assert diagnostics == ()


def test_the_scenarios_hold(trip: Path) -> None:
    """As `orchestrate test trip`."""
    loaded = load([trip / "trip"])
    assert loaded.program
    verdicts = list(run_scenarios(loaded.program, loaded.asked))
    assert [v.ok for v in verdicts] == [True, True, True]


def test_the_flows_are_in_form(trip: Path) -> None:
    """`orchestrate fmt trip` has nothing to do."""
    for path in (trip / "trip").glob("*.flow"):
        text = path.read_text("utf-8")
        assert format(Source(path.name, text)) == (text, ())


def test_every_command_does_what_it_says(trip: Path) -> None:
    """All commands of the tutorial, typed in their order against the stack that it starts itself:
    one trip completes, one fails and its seat is cancelled; a new version is deployed beside it."""
    cli, said, running = Cli(trip), dict[str, str](), None
    lines = "".join(
        re.findall(r"^```sh\n(.*?)^```$", (DOCS / "tutorial.md").read_text(), re.M | re.S)
    ).splitlines()
    try:
        for line in lines:
            program, name, *rest = shlex.split(line)
            assert program == "orchestrate"
            if name == "dev":
                running = Dev(cli, *rest)
                running.until("up; Ctrl-C stops", limit=120)
                continue
            if name == "show":
                keys = re.findall(r"BookTrip/(\S+)", said["list"])
                rest = [r.replace("<key>", keys[0]) for r in rest]
            if name == "deploy":
                flow = trip / "trip" / "trip.flow"
                flow.write_text(flow.read_text().replace("within 5m", "within 10m"))
            done = cli.run(name, *rest)
            assert done.code == 0, (line, done)
            said[name] = done.out + done.err
    finally:
        if running:
            running.interrupt()
            running.ended()
    assert running
    assert "no room in Atlantis" in running.output
    assert "↩" in running.output
    assert "completed" in running.output
    assert "3 passed" in said["test"]
    assert "3 files already in form" in said["fmt"]
    assert "#room" in said["show"]
    assert "180" in said["start"]
    assert (trip / "trip.svg").read_text().lstrip().startswith("<?xml")
    assert re.search(r"travel\.trip  version \w+  replaces \w+", said["deploy"]), said["deploy"]
