"""The tutorial's files do what the tutorial says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dsl.load import load
from dsl.parse import parse
from dsl.source import Source

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


def test_the_trips_run(trip: Path) -> None:
    """One trip completes, one fails and its seat is cancelled, as the tutorial says."""
    environment = os.environ | {"ORCHESTRATE_DATA": str(trip / "data")}
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "dev", "trip", "--run", "trip/trips.json", "--once"],
        cwd=trip,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "no room in Atlantis" in done.stdout
    assert "↩" in done.stdout
    assert "completed" in done.stdout
