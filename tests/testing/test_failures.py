"""Scenarios that fail: what is printed of each, the expected beside the actual course.

`pytest tests/testing/test_failures.py --update-golden` rewrites the expectation; review the diff as
code.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl.load import check_texts
from orchestrator.cli.verdicts import headline, plain
from orchestrator.testing.scenarios import run_scenarios
from orchestrator.testing.verdict import Verdict, ending

FLOW = Path(__file__).parents[1] / "golden" / "scenarios" / "failing.flow"
EXPECTED = FLOW.with_suffix(".stdout")


def _verdicts() -> list[Verdict]:
    loaded = check_texts({FLOW.name: FLOW.read_text("utf-8")})
    assert loaded.program
    return list(run_scenarios(loaded.program, loaded.asked))


def _printed(verdict: Verdict) -> str:
    shown = plain(verdict) if verdict.checks else f"  {ending(verdict.course)}"
    return f"✗ {headline(verdict)}\n{shown}\n"


def test_a_failure_is_shown_side_by_side(request: pytest.FixtureRequest) -> None:
    """Every way in which a scenario can fail, to the letter."""
    printed = "\n".join(map(_printed, _verdicts()))
    if request.config.getoption("--update-golden"):
        EXPECTED.write_text(printed, "utf-8")
    assert printed == EXPECTED.read_text("utf-8")


def test_all_of_them_fail() -> None:
    """Each has at least one expectation that does not hold."""
    assert [v.scenario.title for v in _verdicts() if v.ok] == []
