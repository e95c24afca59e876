"""Mistakes of every kind in one file: each has its report; a mended text is checked as a whole."""

from __future__ import annotations

import pytest

from dsl.load import Loaded, check_texts
from tests.dsl.golden import GOLDEN, loaded, printed

TEN = GOLDEN / "mistakes" / "ten"

SAGA = """\
module m

service s {
  command C key id { id: string } replies Done
  event Done key id { id: string }
}

"""


def found(text: str) -> list[tuple[int, str]]:
    """The line and the code of each finding."""
    return [
        (d.at.source.position(d.at.start)[0], d.code)
        for d in check_texts({"m.flow": text}).diagnostics
    ]


def test_ten_mistakes_are_ten_findings(request: pytest.FixtureRequest) -> None:
    """Of signs, words, strings, types, settings, steps, arguments, cases, operators and names."""
    result: Loaded = loaded(TEN)
    if request.config.getoption("--update-golden"):
        (TEN / "expected.stderr").write_text(printed(result), "utf-8")
    assert printed(result) == (TEN / "expected.stderr").read_text("utf-8")
    assert len(result.diagnostics) == 10
    assert result.program is None
    lines = [d.at.source.position(d.at.start)[0] for d in result.diagnostics]
    assert len(set(lines)) == 10


def test_what_is_mended_is_checked() -> None:
    """A comma too many hides no other mistake."""
    text = "module m\nrecord A { a: strin }\nrecord B {\n  b: int,\n}\n"
    assert found(text) == [(2, "F104"), (4, "F001")]


def test_nothing_is_said_of_what_may_come_of_the_mending() -> None:
    """Neither in the line of a mistake nor about the names in it."""
    text = SAGA + "record R { x: int, y: strin }\nsaga S(r: R) -> int key string(r.x) {\n"
    assert found(text + "  return r.z\n}\n") == [(8, "F001")]
    assert found(text + "  return z\n}\n") == [(8, "F001"), (10, "F101")]


@pytest.mark.parametrize(
    "wrong",
    ["what is this ? { }", "record { a: int }", "saga T(id: string) key id { let = 3 }"],
)
def test_after_a_part_that_was_skipped_nothing_else_is_said(wrong: str) -> None:
    """A name that is not known may have been declared in it."""
    text = SAGA + f"{wrong}\nsaga S(id: string) key id {{\n  step a = s.C(id: i)\n}}\n"
    assert [line for line, _ in found(text)] == [8]


def test_what_is_guessed_changes_no_text() -> None:
    """Errors beside mistakes of syntax have no fix until those are gone, and no warnings."""
    text = SAGA + "record R { x: int, }\nsaga S(id: string) key id {\n"
    text += "  let a = 1\n  let _b = ie\n}\n"
    first, second = check_texts({"m.flow": text}).diagnostics
    assert (first.code, bool(first.fix)) == ("F001", True)
    assert (second.code, second.fix) == ("F101", ())


def test_a_clause_that_was_put_in_is_no_second_one() -> None:
    """What stands nowhere in the text is not said twice."""
    text = 'saga S(day: string)\n  key day\n  starts at "0 9 * * *" (at\n{ }\n'
    assert {code for _, code in found("module m\n" + text)} == {"F001"}
