"""The example flows: checked, in form, listed; their scenarios hold, their functions exist."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from dsl.format import format
from dsl.load import load
from dsl.source import Source
from orchestrator.cli.verdicts import plain
from orchestrator.runtime.functions import find_function
from orchestrator.testing.scenarios import run_scenarios

FLOWS = Path(__file__).parents[2] / "flows"
FOLDERS = sorted(p for p in FLOWS.iterdir() if p.is_dir())
FILES = sorted(FLOWS.rglob("*.flow"))
ROWS = re.findall(r"^\| \[(\w+)\]\((.+?)\) \| (.+) \|$", (FLOWS / "README.md").read_text(), re.M)


def test_they_check_together_without_a_finding() -> None:
    """As `orchestrate check flows`."""
    assert [d.message for d in load([FLOWS]).diagnostics] == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_they_are_in_form(path: Path) -> None:
    """As `orchestrate fmt --check flows`."""
    text = path.read_text("utf-8")
    assert format(Source("f", text)) == (text, ())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_their_scenarios_hold(folder: Path) -> None:
    """As `orchestrate test flows`; each saga has some."""
    loaded = load([folder])
    assert loaded.program
    verdicts = list(run_scenarios(loaded.program, loaded.asked))
    assert [plain(v) for v in verdicts if not v.ok] == []
    sagas = {s.name for m in loaded.asked for s in loaded.program.modules[m].sagas}
    assert {v.scenario.run.saga for v in verdicts} == sagas


def test_the_functions_that_they_call_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each can be imported from its flow's folder and takes what the flow declares."""
    loaded = load([FLOWS])
    assert loaded.program
    for folder in FOLDERS:
        monkeypatch.syspath_prepend(folder)
    activities = [a for m in loaded.program.modules.values() for a in m.activities]
    assert activities
    for activity in activities:
        find_function(activity)
        sys.modules.pop(activity.function.partition(":")[0], None)


def test_the_index_lists_each() -> None:
    """By its folder, with a link to its main file."""
    assert {name for name, _, _ in ROWS} == {f.name for f in FOLDERS}
    assert all((FLOWS / target).is_file() for _, target, _ in ROWS)


@pytest.mark.parametrize(("name", "shows"), [(n, s) for n, _, s in ROWS])
def test_each_has_what_the_index_says(name: str, shows: str) -> None:
    """Every word of the language that the index names stands in the flow's files, in this order."""
    text = "".join(p.read_text("utf-8") for p in (FLOWS / name).glob("*.flow"))
    for words in re.findall(r"`([^`]+)`", shows):
        if not words.startswith("make "):
            wanted = r"[\s\S]+?".join(rf"(?<!\w){re.escape(w)}" for w in words.split(" … "))
            assert re.search(wanted, text), words
