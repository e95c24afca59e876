"""Literals: what their texts stand for, and which texts stand for nothing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from dsl import literal, syntax
from dsl.fine import duration_of
from dsl.parse import parse_expression
from dsl.source import Source


def value(text: str) -> Any:
    found, diagnostics = parse_expression(Source("e", text))
    assert not diagnostics, diagnostics
    assert isinstance(found, syntax.Literal)
    assert found.at.text == text
    return found.value


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0", 0),
        ("007", 7),
        ("42", 42),
        ("0x2A", 42),
        ("0XfF", 255),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        ("-.5", -0.5),
        ("true", True),
        ("false", False),
        ("null", None),
    ],
)
def test_numbers_and_words(text: str, wanted: object) -> None:
    found = value(text)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("10s", timedelta(seconds=10)),
        ("1m30s", timedelta(seconds=90)),
        ("1.5h", timedelta(minutes=90)),
        ("500ms", timedelta(milliseconds=500)),
        ("7d", timedelta(days=7)),
        ("20us", timedelta(microseconds=20)),
        ("1500ns", duration_of(1500)),
        ("1d2h3m4s5ms", timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=5)),
        ("0s", timedelta(0)),
    ],
)
def test_durations(text: str, wanted: timedelta) -> None:
    assert value(text) == wanted


@pytest.mark.parametrize(
    "text",
    ["20%", "f(20%)", "f(20%, 1)", "[20%]", '{"a": 20%}', "20% ", "20%//", "20%+1", "c ? 20%: 1"],
)
def test_a_percentage_ends_where_no_operand_touches_its_sign(text: str) -> None:
    """As in `retry: exponential(jitter: 20%)` and `20% * amount`."""
    found, diagnostics = parse_expression(Source("e", text))
    assert found, diagnostics
    literals = [n for n in syntax.walk(found) if isinstance(n, syntax.Literal)]
    assert [n.value for n in literals if n.at.text == "20%"] == [Decimal("0.2")]


@pytest.mark.parametrize(
    "right",
    ["3", "-3", "--3", "n", "-n", "_n", "(3)", "-(3)", ".5", "-.5", "[3]", '"3"', " 3", " -3"],
)
def test_a_percent_sign_before_an_operand_is_a_remainder(right: str) -> None:
    """Negated or not, touching or not, as in CEL."""
    blank = " " if right.startswith(" ") else ""
    found, diagnostics = parse_expression(Source("e", f"5{blank}%{right}"))
    assert not diagnostics
    assert isinstance(found, syntax.Binary)
    assert isinstance(found.left, syntax.Literal)
    assert (found.left.value, found.operator) == (5, "%")


@pytest.mark.parametrize(("text", "operator"), [("20% -3", "-"), ("20% - 3", "-"), ("20%*-3", "*")])
def test_a_percentage_has_an_operator_after_it(text: str, operator: str) -> None:
    """A blank after the sign ends the percentage."""
    found, _ = parse_expression(Source("e", text))
    assert isinstance(found, syntax.Binary)
    assert found.operator == operator
    assert isinstance(found.left, syntax.Literal)
    assert found.left.value == Decimal("0.2")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('""', ""),
        ("''", ""),
        ('"a\'b"', "a'b"),
        ("'a\"b'", 'a"b'),
        (r'"\a\b\f\n\r\t\v\\\?\"\'\`"', "\a\b\f\n\r\t\v\\?\"'`"),
        (r'"\x41\X41\101\u00e9\U0001F642"', "AAAé🙂"),
        ('"""a\nb"c""d"""', 'a\nb"c""d'),
        ("'''a\nb'''", "a\nb"),
        (r'"""\""""', '"'),
        (r'r"\n\"', "\\n\\"),
        (r"R'''\d'''", "\\d"),
        ('"//"', "//"),
        ('"é🙂"', "é🙂"),
        (r'b"\x00\377é"', b"\x00\xff\xc3\xa9"),
        (r"b'\n'", b"\n"),
        (r'rb"\n"', b"\\n"),
        (r'bR"\x"', b"\\x"),
        ('B"""a\nb"""', b"a\nb"),
    ],
)
def test_strings_and_bytes(text: str, wanted: str | bytes) -> None:
    assert value(text) == wanted


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (r'"\q"', "F207"),
        (r'"\x4"', "F207"),
        (r'"\ud800"', "F207"),
        (r'"\U00110000"', "F207"),
        (r'"\400"', "F207"),
        (r'b"\u0041"', "F207"),
        ("1e999", "F207"),
        ("9223372036854775809", "F207"),
        ("9" * 5000, "F207"),
        ("0x" + "f" * 5000, "F207"),
        ("9" * 5000 + "d", "F207"),
        ("9999999999999d", "F207"),
        ('"a', "F002"),
        ('"a\nb"', "F002"),
        ("'''a", "F002"),
        ("10sec", "F001"),
        ("1_000", "F001"),
        ("0xg", "F001"),
        ("1.", "F001"),
        ("1m 30s", "F001"),
        ("٣s", "F001"),
        ("20 %", "F001"),
    ],
)
def test_what_stands_for_nothing(text: str, code: str) -> None:
    _, diagnostics = parse_expression(Source("e", text))
    assert [d.code for d in diagnostics] == [code]
    assert all(len(d.message) < 120 for d in diagnostics)


def test_a_literal_of_a_million_digits_is_refused_at_once() -> None:
    for text in ("9" * 1_000_000, "9" * 1_000_000 + "s", "." + "9" * 1_000_000 + "e9"):
        parse_expression(Source("e", text))


def test_the_readers_raise_nothing_but_value_errors() -> None:
    for read in (literal.read_int, literal.read_float, literal.read_duration):
        with pytest.raises(ValueError, match=r"fit|long"):
            read("9" * 500 + ("d" if read is literal.read_duration else ""))
