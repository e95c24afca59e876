"""The formatter: one form for each flow, the same meaning, the same comments, once and for all."""

from __future__ import annotations

import re
import time
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsl.depth import make_room
from dsl.format import format, laid_out, same_words
from dsl.grammar import grammar_of
from dsl.parse import parse
from dsl.source import Source
from tests.dsl.generated import flow_of
from tests.dsl.golden import ERRORS, FLOWS, ROOT
from tests.dsl.programs import Programs, bare, programs, spread

_SLOW = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
_FILES = [*FLOWS.glob("*.flow"), *ERRORS.glob("*/*.flow"), *(ROOT / "flows").rglob("*.flow")]
_TEXTS = [p.read_bytes().decode("utf-8-sig", "replace") for p in sorted(_FILES)]
_SOUND = [t for t in _TEXTS if laid_out(Source("f", t)) is not None]
_LONG_STRING = re.compile(r"[rb]?\"\"\"[\s\S]*?\"\"\"")
_COMMENT = re.compile(r"\s*(//[^\n]*)")


def comments(text: str) -> list[str]:
    """The comments of a text, in their order."""
    found, end = [], 0
    for token in grammar_of("file").lexer.tokens(text):
        found += [c.rstrip() for c in _COMMENT.findall(text[end : token.start])]
        end = token.end
    return found


def holds(text: str) -> str:
    """What must hold of any flow that parses; gives the formatted text."""
    make_room()
    source = Source("f", text)
    tree = parse(source)[0]
    formatted = laid_out(source)
    assert formatted is not None
    assert same_words(text, formatted)
    assert bare(parse(Source("f", formatted))[0]) == bare(tree)
    assert comments(formatted) == comments(text)
    assert laid_out(Source("f", formatted)) == formatted
    assert format(source) == (formatted, ())
    outside = _LONG_STRING.sub("x", formatted)
    assert all(line == line.rstrip(" \t") for line in outside.split("\n"))
    assert "\n\n\n" not in outside
    assert formatted == "" or (formatted.endswith("\n") and not formatted.endswith("\n\n"))
    return formatted


@pytest.mark.parametrize("text", _SOUND, ids=range(len(_SOUND)))
def test_every_flow_of_the_repository_keeps_its_meaning(text: str) -> None:
    holds(text)


def test_programs_have_every_construct() -> None:
    """Every rule of the grammar is derived sooner or later: what comes next is about all of it."""
    made, random = Programs(), Random(1)
    for _ in range(10_000):
        made.words(random, random.randrange(600))
        made.words(random, random.randrange(100), "expr")
        if not made.unused():
            return
    assert made.unused() == set()


@_SLOW
@given(st.integers(0, 2**32).map(Random), st.integers(1, 600), st.sampled_from([0, 0.05, 0.5]))
def test_any_program_keeps_its_meaning(random: Random, most: int, remarks: float) -> None:
    text = spread(programs().words(random, most), random, remarks)
    # A few of what the rules allow is read otherwise: `let x = for …`.
    if laid_out(Source("f", text)) is not None:
        holds(text)


@_SLOW
@given(st.sampled_from(_SOUND), st.integers(0, 2**32).map(Random), st.sampled_from([0, 0.02, 0.3]))
def test_other_blanks_and_comments_keep_the_meaning(
    text: str, random: Random, remarks: float
) -> None:
    words = [t.text for t in grammar_of("file").lexer.tokens(text)]
    holds(spread(words[:-1], random, remarks))


def test_the_form_of_each_construct() -> None:
    """Whatever blanks and lines a flow was written with, its form is that of a golden file."""
    golden = ROOT / "tests" / "golden" / "format" / "form.flow"
    text = golden.read_text("utf-8")
    assert laid_out(Source("f", text)) == text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("activity A", ' -> int from "m:f"'),
        ("saga A", " key a { }"),
        ("service s { command C key a idempotent by key ", " { a: int } }"),
        ("saga S(k: int) key k { emit s.E", " }"),
        ("saga S(k: int) key k { let x = ", " }"),
        ("saga S(k: int) key k { step a = s.C", " undo none }"),
    ],
    ids=["activity", "saga", "by key", "emit", "list", "step"],
)
def test_every_list_in_brackets_may_end_with_a_comma(before: str, after: str) -> None:
    """On one line none stands there; where each item has its own line, every one has its comma."""
    items = {"saga A": "a: int", "acti": "a: int", "serv": "a"}
    item = items.get(before[:6], items.get(before[:4], "k"))
    opening, closing = "[]" if before.endswith("= ") else "()"
    one, more = (item, item.replace("a", "b", 1).replace("k", "k + k"))

    def written(inside: str) -> str:
        return laid_out(Source("f", f"{before}{opening}{inside}{closing}{after}")) or ""

    short = written(f"{one}, {more}")
    assert f"{opening}{one}, {more}{closing}" in short
    assert written(f"{one}, {more},") == short
    long = written(f"{one}, // c\n {more}")
    assert f"{more},\n" in long
    assert written(f"{one}, // c\n {more},") == long


def test_the_time_grows_with_the_length() -> None:
    """Ten times the lines take about ten times as long."""

    def took(lines: int) -> float:
        text = flow_of(lines)
        best = 1e9
        for _ in range(2):
            started = time.process_time()
            assert format(Source("f", text)) == (text, ())
            best = min(best, time.process_time() - started)
        return best

    took(500)
    assert took(5_000) < 40 * took(500)


@pytest.mark.parametrize(
    "text",
    [
        "if true { " * 2000 + "} " * 2000,
        "fail " + "(" * 20_000 + "1" + ")" * 20_000,
        "fail " + "f(" * 20_000 + "1" + ")" * 20_000,
        "fail " + "1 + " * 20_000 + "1",
        "fail " + "a.b(1)" + ".b(1)" * 20_000,
        "fail " + "true ? 1 : " * 20_000 + "1",
        "fail " + "!" * 20_000 + "true",
        "fail [" + "1, " * 20_000 + "]",
        "if a { } else " * 20_000 + "{ }",
        "set a = 1 // c\n" * 20_000,
    ],
    ids=lambda t: t[:20],
)
def test_deep_and_long_texts_are_formatted_soon(text: str) -> None:
    """Neither depth nor length leads to a traceback or to a quadratic blow-up."""
    source = Source("f", f"module m saga S(k: string) key k {{ {text} }}")
    started = time.process_time()
    formatted = laid_out(source)
    assert formatted is not None
    assert time.process_time() - started < 10
    assert same_words(source.text, formatted)
