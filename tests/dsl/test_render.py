"""Findings as text: carets under the text whatever stands in the line, and no sign that steers."""

from __future__ import annotations

import pytest

from dsl.diagnostic import Diagnostic, Edit, Note, Severity
from dsl.render import summary, to_change, to_json, to_text
from dsl.source import Source, Span


def lines(text: str, start: int, end: int) -> list[str]:
    return to_text(Diagnostic("F001", "m", Span(Source("f", text), start, end))).split("\n")[2:]


@pytest.mark.parametrize(
    ("text", "start", "end", "shown", "carets"),
    [
        ("abc def", 4, 7, "1│ abc def", " │     ^^^"),
        ("\tabc", 1, 4, "1│     abc", " │     ^^^"),
        ("a\tb", 0, 3, "1│ a    b", " │ ^^^^^^"),
        ("abc\r\ndef", 0, 8, "1│ abc", " │ ^^^"),
        ("abc", 3, 3, "1│ abc", " │    ^"),
        ("a\x1b[31mb", 1, 2, "1│ a␛[31mb", " │  ^"),
        ("a\0b", 1, 2, "1│ a␀b", " │  ^"),
        ("\n\nabc", 3, 4, "3│ abc", " │  ^"),
    ],
)
def test_carets_stand_under_the_text(
    text: str, start: int, end: int, shown: str, carets: str
) -> None:
    assert lines(text, start, end) == [shown, carets]


def test_a_long_name_is_cut_in_the_sentence() -> None:
    """What is quoted is cut, what is said is not."""
    at = Span(Source("f", "a"), 0, 1)
    found = to_text(Diagnostic("F001", f"no `{'a' * 10_000}` in `b`", at, help=f"`{'c' * 500}`"))
    assert "aa…` in `b`" in found and "cc…`" in found
    assert max(map(len, found.split("\n"))) < 200


def test_a_long_line_is_cut_around_the_place() -> None:
    text = "a" * 100_000 + "X" + "b" * 100_000
    shown, carets = lines(text, 100_000, 100_001)
    assert len(shown) < 200
    assert shown[carets.index("^")] == "X"


def test_a_long_span_is_cut_too() -> None:
    shown, carets = lines("a" * 100_000, 0, 100_000)
    assert len(shown) < 200
    assert len(carets) < 200


def test_every_place_is_shown_with_its_label() -> None:
    source = Source("f", "one\ntwo\n")
    found = Diagnostic(
        "F102",
        "message",
        Span(source, 4, 7),
        "again",
        "do this",
        (Note(Span(source, 0, 3), "first"),),
        Severity.WARNING,
        (Edit(Span(source, 4, 7), "2"),),
    )
    assert to_change(found.fix[0]) == "- `two` + `2`"
    assert to_text(found) == (
        "warning[F102]: message\n"
        "  ┌─ f:2:1\n"
        "2│ two\n"
        " │ ^^^ again\n"
        "  ├─ f:1:1\n"
        "1│ one\n"
        " │ --- first\n"
        "  = help: do this"
    )
    assert to_json(found) == {
        "code": "F102",
        "severity": "warning",
        "message": "message",
        "label": "again",
        "help": "do this",
        "path": "f",
        "line": 2,
        "column": 1,
        "end_line": 2,
        "end_column": 4,
        "also": [
            {"label": "first", "path": "f", "line": 1, "column": 1, "end_line": 1, "end_column": 4}
        ],
        "fix": [{"text": "2", "path": "f", "line": 2, "column": 1, "end_line": 2, "end_column": 4}],
    }


def test_the_summary_counts() -> None:
    at = Span(Source("f", "x"), 0, 1)
    error, warning = Diagnostic("F001", "m", at), Diagnostic("F106", "m", at)
    assert summary([]) == ""
    assert summary([error, warning, error]) == "3 errors"
    mild = Diagnostic("F106", "m", at, severity=Severity.WARNING)
    assert summary([error, mild, error]) == "2 errors, 1 warning"
