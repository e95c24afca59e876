"""The reference of scenarios: its examples hold, and the failure it shows is what is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dsl.load import check_texts
from orchestrator.cli.verdicts import plain
from orchestrator.testing.scenarios import run_scenarios
from orchestrator.testing.verdict import Verdict

PAGE = (Path(__file__).parents[2] / "docs" / "language" / "scenarios.md").read_text("utf-8")
BEGINNING, *EXAMPLES = re.findall(r"^```flow\n(.*?)^```$", PAGE, re.M | re.S)


def verdicts(example: str) -> list[Verdict]:
    loaded = check_texts({"shop.flow": BEGINNING + example})
    assert loaded.program
    return list(run_scenarios(loaded.program, loaded.asked))


@pytest.mark.parametrize("example", EXAMPLES[:-1])
def test_the_examples_hold(example: str) -> None:
    """Each runs, and every expectation in it holds."""
    found = verdicts(example)
    assert found
    assert [plain(v) for v in found if not v.ok] == []


def test_the_failure_is_shown_as_it_is_printed() -> None:
    """The last example fails, with this table."""
    (failed,) = verdicts(EXAMPLES[-1])
    (shown,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.M | re.S)
    assert not failed.ok
    assert plain(failed) == shown.rstrip("\n")
