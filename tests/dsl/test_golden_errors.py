"""The corpus of wrong flows: each folder says exactly what `expected.stderr` holds.

`pytest tests/dsl/test_golden_errors.py --update-golden` rewrites the expectations; review the
difference as code.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl.codes import CODES
from dsl.diagnostic import Severity
from tests.dsl.golden import cases, code_of, loaded, printed

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.name)
def test_says_what_is_expected(case: Path, request: pytest.FixtureRequest) -> None:
    text = printed(loaded(case))
    expected = case / "expected.stderr"
    if request.config.getoption("--update-golden"):
        expected.write_text(text, "utf-8")
    assert text == expected.read_text("utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.name)
def test_one_cause_has_one_report(case: Path) -> None:
    assert [d.code for d in loaded(case).diagnostics] == [code_of(case)]


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.name)
def test_texts_are_in_the_house_style(case: Path) -> None:
    for d in loaded(case).diagnostics:
        for text in (d.message, d.label, d.help, *(n.label for n in d.also)):
            assert not text.endswith("."), text
            assert "\n" not in text
            assert text.count("`") % 2 == 0, text
            assert "``" not in text, text
        assert d.message
        assert d.message[0] == "`" or not d.message[0].isupper()
        assert d.help or d.fix, "neither a help nor a fix"


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.name)
def test_an_error_leaves_no_program(case: Path) -> None:
    found = loaded(case)
    assert (found.program is None) == any(d.severity is Severity.ERROR for d in found.diagnostics)


def test_every_code_has_an_example() -> None:
    assert {code_of(c) for c in CASES} == set(CODES)
