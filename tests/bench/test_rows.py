"""What a benchmark says of its figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.aim import Aim, at_least, at_most, at_most_times, times
from tests.bench.errors import BenchError
from tests.bench.rows import row, save


@pytest.mark.parametrize(
    ("aim", "said", "met"),
    [
        (times(10), "≥ 10×", True),
        (times(12), "≥ 12×", False),
        (at_most_times(1), "≤ 1×", False),
        (at_least(1_500, "x/s"), "≥ 1,500 x/s", True),
        (at_most(400, "x/s"), "≤ 400 x/s", False),
    ],
)
def test_a_row_says_whether_its_aim_is_met(aim: Aim, said: str, met: bool) -> None:
    """Of its ratio, or of its value where the aim has a unit."""
    made = row("a/b", 2_000, 200, "x/s", aim).to_json()
    assert (made["ratio"], made["aim"], made["met"]) == (10, said, met)


def test_a_ratio_that_could_not_be_taken_is_no_success() -> None:
    """And where nothing is aimed at, there is no verdict."""
    assert row("a/b", 1, None, "s", times(1)).met is False
    assert row("a/b", 1, None, "s").met is None


def test_a_run_replaces_its_own_rows(tmp_path: Path) -> None:
    """Those of other benchmarks stay; a file that holds something else is not overwritten."""
    path = tmp_path / "build" / "bench.json"
    save("a", [row("a/old", 1, None, "s")], path)
    save("b", [row("b/kept", 2, None, "s")], path)
    save("a", [row("a/new", 3, None, "s")], path)
    assert [r["name"] for r in json.loads(path.read_text())] == ["b/kept", "a/new"]
    path.write_text("{}")
    save("a", [], path)
    path.write_text("[1]")
    with pytest.raises(BenchError, match=r"bench\.json holds no list of rows"):
        save("a", [], path)
