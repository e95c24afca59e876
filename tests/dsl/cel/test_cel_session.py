"""One expression over JSON variables: values, types, errors, and their JSON."""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from dsl.cel.errors import CelError
from dsl.cel.session import Evaluated, Failed, as_json, evaluate, read_variables

NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)


def answer(text: str, data: Any = None, **options: Any) -> dict[str, Any]:
    return as_json(evaluate(text, read_variables(data or {}), now=NOW, **options))


VALUES = [
    ("n", {"n": 1}, 1, "int"),
    ("n", {"n": 1.0}, 1.0, "float"),
    ("n", json.loads('{"n": 1e2}'), 100.0, "float"),
    ("n", {"n": -(2**63)}, -(2**63), "int"),
    ("n", {"n": None}, None, "null"),
    ("n", {"n": True}, True, "bool"),
    ("n + n", {"n": "ß"}, "ßß", "string"),
    ("m.a[0]", {"m": {"a": [5]}}, 5, "int"),
    ("a.b + a.c", {"a.b": 1, "a": {"c": 2}}, 3, "int"),
    ("null", {"null": 5}, None, "null"),
    ("int", {"int": 5}, 5, "int"),
    ("now()", {"$now": "never"}, "2026-01-31T08:00:00Z", "timestamp"),
    ('b"\\x00\\xff"', {}, "AP8=", "bytes"),
    ("1m30s", {}, "90s", "duration"),
    ('decimal("12.30")', {}, "12.30", "decimal"),
    ("0.0 / 0.0", {}, "NaN", "float"),
    ("-1.0 / 0.0", {}, "-Infinity", "float"),
    ('[1s, {"a": b"x"}, 1.0 / 0.0, int]', {}, ["1s", {"a": "eA=="}, "Infinity", "int"], "list"),
    ('{1: 2, "a": 3, false: 4}', {}, {"1": 2, "a": 3, "false": 4}, "map"),
]


@pytest.mark.parametrize(("text", "data", "value", "type"), VALUES)
@pytest.mark.parametrize("checked", [True, False])
def test_a_value(text, data, value, type, checked):
    found = answer(text, data, checked=checked)
    assert json.dumps(found) == json.dumps({"value": value, "type": type})


BAD_VARIABLES = [
    ([], "not a JSON object"),
    ({"n": 2**63}, "`n` does not fit a 64-bit int"),
    ({"n": [{"m": -(2**63) - 1}]}, "`n` does not fit a 64-bit int"),
    ({"n": float("inf")}, "`n` does not fit a 64-bit float"),
    ({"n": "\ud800"}, "half a character"),
    ({"n": {"\ud800": 1}}, "half a character"),
]


@pytest.mark.parametrize(("data", "said"), BAD_VARIABLES)
def test_bad_variables(data, said):
    with pytest.raises(CelError, match=said):
        read_variables(data)


def test_variables_nested_too_deeply():
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    with pytest.raises(CelError, match="`n` is nested too deeply"):
        read_variables({"n": deep})


ERRORS = [
    ("", "the expression ends too early"),
    ("1 +", "the expression ends too early"),
    ("1 2", "unexpected `2`"),
    ("'a", "this string has no end"),
    ("'\\q'", "`\\q` is no escape"),
    ("1u", "`1u` is not a number"),
    (".a", "unexpected `.`"),
    ("`a`", "unexpected ```"),
    ("a.?b", "unexpected `?`"),
    ("A{b: 1}", "unexpected `{`"),
    ("'\ud800'", "the expression holds half a character (a lone surrogate)"),
    ('{1: "a", "1": "b"}', "invalid argument: two keys of a map have the same text, so it has no"),
    ("1 / 0", "divide by zero"),
]


@pytest.mark.parametrize(("text", "said"), ERRORS)
@pytest.mark.parametrize("checked", [True, False])
def test_an_error(text, said, checked):
    found = answer(text, {"a": {}}, checked=checked)
    assert list(found) == ["error"]
    assert found["error"].startswith(said)


LATE = [
    ("1 == 1.0", True),
    ("'a' && false", False),
    ("nobody || true", True),
    ("f(1, nobody) || true", True),
    ("startsWith('a', 'b') || true", True),
    ("'1'.string() || true", True),
    ("uint(1) || true", True),
    ("int('x') == 1 || true", True),
    ("[1, 2].exists(i, i.f() || i == 2)", True),
]


@pytest.mark.parametrize(("text", "value"), LATE)
def test_what_is_not_checked_fails_only_where_it_matters(text, value):
    assert answer(text, checked=False) == {"value": value, "type": "bool"}
    assert isinstance(evaluate(text, {}), Failed)


LATE_ERRORS = [
    ("nobody", "no such name: nobody"),
    ("f(1)", "no such overload: no function `f`"),
    ("uint(1)", "no such overload: no function `uint`"),
    ("'1'.string()", "no such overload: no function `string`"),
    ("int('x')", "invalid argument: 'x' is not an int"),
    ("int(true)", "no such overload: int(bool)"),
    ("[1] < [2]", "no such overload: _<_(list, list)"),
    ("f(1 / 0)", "divide by zero"),
    ("size()", "`size` takes 1 argument, found 0"),
    ("has(a)", "`has` takes a field"),
    ("f(a: 1)", "no record or message `f` here"),
]


@pytest.mark.parametrize(("text", "said"), LATE_ERRORS)
def test_a_late_error(text, said):
    assert answer(text, checked=False) == {"error": said}


@pytest.mark.parametrize(
    "shape", ["(x)", "[x]", "int(x)", "f(x)", "y.f(x)", "-(x)", "{1: x}", "1+x"]
)
@pytest.mark.parametrize("depth", [200, 20_000])
@pytest.mark.parametrize("checked", [True, False])
def test_nesting_never_breaks_anything(shape, depth, checked):
    open, close = shape.split("x")
    found = evaluate(open * depth + "1" + close * depth, {}, checked=checked)
    assert isinstance(found, Evaluated | Failed)


def test_a_type_in_a_flow_and_in_a_plan(typed, run):
    """`type(x)` is typed in a flow too, also for what may be null, and a symbol is a string."""
    assert str(typed("type(note)").type) == "type"
    assert run("type(note) == null_type && type(n) == int && type(currency) == string")
    assert run("type(order)").name == "shop.Order"
    assert [d.code for d in typed("int + 1").diagnostics] == ["F201"]
    assert [d.code for d in typed("type(n) == 5").diagnostics] == ["F201"]


SIGNS = r"""
1 2.5 'a' b'x' true null n m ( ) [ ] { } : , . ? + - * / % ! && || == < in size type int map(
filter( all( i, has( timestamp( duration( 1s 20% 0x1 1u \ ` " ''' // dyn( .sum() matches(
[0] .a decimal( double( now() 9223372036854775807 1e308
"""
PIECES = re.findall(r"\S+", SIGNS)


def test_any_text_has_an_outcome():
    """Random texts of the language's own signs: a value or a sentence, never anything else."""
    random_ = random.Random(7)
    for _ in range(5_000):
        text = " ".join(random_.choices(PIECES, k=random_.randint(1, 12)))
        for checked in (True, False):
            found = as_json(evaluate(text, {"n": 1, "m": {"a": [1]}}, checked=checked, now=NOW))
            assert set(found) in ({"value", "type"}, {"error"}), text
            json.dumps(found, allow_nan=False)
