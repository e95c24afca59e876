"""Each operator: a text, and its value or the kind of its error."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dsl.cel.errors import CelError

MAX, MIN = "9223372036854775807", "-9223372036854775808"

INTS = [
    ("40 + 2", 42),
    ("40 - 50", -10),
    ("-3 * -4", 12),
    ("7 / 2", 3),
    ("-7 / 2", -3),
    ("7 / -2", -3),
    ("-7 / -2", 3),
    ("-8 / 2", -4),
    ("7 % 3", 1),
    ("-7 % 3", -1),
    ("7 % -3", 1),
    ("-7 % -3", -1),
    ("-(-n)", 7),
    ("0x1F + 1", 32),
    (f"{MAX} - 1", 2**63 - 2),
    (MIN, -(2**63)),
    (f"{MAX} + 1", "overflow"),
    (f"{MIN} - 1", "overflow"),
    (f"{MAX} * 2", "overflow"),
    (f"{MIN} * -1", "overflow"),
    (f"{MIN} / -1", "overflow"),
    (f"{MIN} % -1", "overflow"),
    (f"-dyn({MIN})", "overflow"),
    ("1 / 0", "divide by zero"),
    ("1 % 0", "modulus by zero"),
]
FLOATS = [
    ("1.5 + 2.25", 3.75),
    ("1.5 - 2.0", -0.5),
    ("42.5 * 0.2", 8.5),
    ("-2.0 / 4.0", -0.5),
    ("1.0 / 0.0", math.inf),
    ("-1.0 / 0.0", -math.inf),
    ("1.0 / -0.0", -math.inf),
    ("8.988466e307 * 2.0", math.inf),
    ("-(1.5)", -1.5),
    ("0.0 / 0.0 == 0.0 / 0.0", False),
    ("0.0 / 0.0 != 0.0 / 0.0", True),
    ("0.0 / 0.0 < 1.0", False),
    ("0.0 / 0.0 >= 1.0", False),
    ("0.0 == -0.0", True),
]
DECIMALS = [
    ('decimal("0.1") + decimal("0.2")', Decimal("0.3")),
    ('decimal("1.10") - decimal("0.1")', Decimal("1.00")),
    ('decimal("1.50") * decimal(3)', Decimal("4.50")),
    ("20% * decimal(50)", Decimal("10.0")),
    ('decimal("10") / decimal("4")', Decimal("2.5")),
    ('decimal("1") / decimal("3")', Decimal("0." + "3" * 50)),
    ('decimal("2") / decimal("3")', Decimal("0." + "6" * 49 + "7")),
    ('-decimal("1.5")', Decimal("-1.5")),
    ('decimal("1") / decimal("0")', "divide by zero"),
    ('decimal("1e40") + decimal("1e-40")', "overflow"),
    ('decimal("1e6144") * decimal(10)', "overflow"),
    ('decimal("1e-6000") * decimal("1e-6000")', "overflow"),
    ('decimal("1.0") == decimal("1.00")', True),
    ('decimal("2") > decimal("1.99")', True),
]
TIMES = [
    ('timestamp("2024-02-28T23:00:00Z") + 1h', datetime(2024, 2, 29, tzinfo=UTC)),
    ('1h30m + timestamp("2024-01-01T00:00:00Z")', datetime(2024, 1, 1, 1, 30, tzinfo=UTC)),
    ('timestamp("2024-03-01T00:00:00Z") - 1d', datetime(2024, 2, 29, tzinfo=UTC)),
    ('timestamp("2024-03-01T00:00:00Z") - timestamp("2024-02-28T00:00:00Z")', timedelta(days=2)),
    ("10m + 50s", timedelta(seconds=650)),
    ("15m - 42s", timedelta(seconds=858)),
    ("1h > 59m", True),
    ("-(1h)", timedelta(hours=-1)),
    ("t < t + 1s", True),
    ('day < date("2024-03-01")', True),
    ('timestamp("9999-12-31T23:59:59Z") + 1s', "range error"),
    ('timestamp("0001-01-01T00:00:00Z") - 1s', "range error"),
    ('duration("200000000000s") + duration("200000000000s")', "range error"),
    ('duration("-200000000000s") - duration("200000000000s")', "range error"),
]
TEXTS_AND_LISTS = [
    ('"a" + "ß" + ""', "aß"),
    ('b"a" + b"b"', b"ab"),
    ("[0, 1] + [2]", [0, 1, 2]),
    ("tags + []", ["x", "y"]),
    ('"a" < "b"', True),
    ('"B" < "a"', True),
    ('b"a" <= b"a"', True),
    ("false < true", True),
    ("[10, 20][1]", 20),
    ("[10][1]", "invalid argument"),
    ("[10][-1]", "invalid argument"),
    ("[7, 8][dyn(1.0)]", 8),
    ("[7, 8][dyn(0.1)]", "invalid argument"),
    ('{"a": 1}["a"]', 1),
    ('{"a": 1}.a', 1),
    ('{"a": 1}["b"]', "no such key"),
    ('{"a": 1}.b', "no such key"),
    ("{0: 1, 2: 5}[2]", 5),
    ("{true: 5}[true]", 5),
    ("{1: 5}[dyn(1.0)]", 5),
    ("{1: 5}[dyn(1.5)]", "no such key"),
    ("{1: 5}[dyn(true)]", "no such key"),
    ("{true: 5}[dyn(1)]", "no such key"),
    ("{1: 5}[dyn(0.0) / dyn(0.0)]", "no such key"),
    ("{true: 1, 2: 2}[dyn(2)]", 2),
    ('{"a": 1, "a": 2}', "invalid argument"),
    ("{dyn(1.5): 1}", "invalid argument"),
    ("{dyn(null): 1}", "invalid argument"),
]
EQUALITY = [
    ("1 == 1", True),
    ("1 != 2", True),
    ('"a" == "A"', False),
    ("null == null", True),
    ("[1, 2] == [1, 2]", True),
    ("[1, 2] == [2, 1]", False),
    ("[1] == [1, 2]", False),
    ("[dyn(1)] == [dyn(1.0)]", True),
    ("[dyn(1)] == [dyn(true)]", False),
    ('{"a": 1, "b": 2} == {"b": 2, "a": 1}', True),
    ('{"a": 1} == {"a": 1, "b": 2}', False),
    ('{"a": 1} == {"b": 1}', False),
    ("{1: dyn(2)} == {1: dyn(2.0)}", True),
    ("dyn(1) == 1.0", True),
    ("dyn(1) == 1.5", False),
    ('dyn(1) == "1"', False),
    ("dyn(1) == true", False),
    ("dyn(0) == false", False),
    ("dyn(null) == 0", False),
    ('dyn(1) == decimal("1.0")', True),
    ('dyn(0.5) == decimal("0.5")', True),
    ("dyn(9007199254740993) == 9007199254740992.0", True),
    ("dyn(1) < 1.5", True),
    ("dyn(2.5) >= 2", True),
    ('dyn(2) > decimal("1.5")', True),
    ('dyn(0.0) / dyn(0.0) < decimal("1")', False),
    ('dyn(1) < "2"', "no such overload"),
    ("dyn(1) < true", "no such overload"),
    ("dyn(null) < 1", "no such overload"),
    ("[1] == dyn(1)", False),
    ("{1: 1} == dyn([1])", False),
]
MEMBERSHIP = [
    ("2 in [1, 2]", True),
    ("3 in [1, 2]", False),
    ("1 in []", False),
    ("dyn(1.0) in [1, 2]", True),
    ("dyn(true) in [1, 2]", False),
    ('"x" in tags', True),
    ('dyn("2") in [1, 2]', False),
    ("[1] in [[1], [2]]", True),
    ('"a" in {"a": null}', True),
    ('"b" in {"a": 1}', False),
    ("dyn(3.0) in {3: 1}", True),
    ("dyn(3.1) in {3: 1}", False),
    ("1 in dyn(5)", "no such overload"),
    ("currency in [EUR, USD]", True),
    ("currency in [GBP]", False),
]
LOGIC = [
    ("true && true", True),
    ("true && false", False),
    ("false || true", True),
    ("!true", False),
    ("!(n == 7)", False),
    ("false && 1 / 0 > 1", False),
    ("1 / 0 > 1 && false", False),
    ("true || 1 / 0 > 1", True),
    ("1 / 0 > 1 || true", True),
    ("true && 1 / 0 > 1", "divide by zero"),
    ("1 / 0 > 1 && true", "divide by zero"),
    ("false || 1 / 0 > 1", "divide by zero"),
    ("1 / 0 > 1 || false", "divide by zero"),
    ('dyn("x") && false', False),
    ("false && dyn(32)", False),
    ('dyn("x") || true', True),
    ("true || dyn(32)", True),
    ('dyn("x") && true', "no such overload"),
    ("true && dyn(1)", "no such overload"),
    ("false || dyn(1)", "no such overload"),
    ("!dyn(1)", "no such overload"),
    ("true ? 1 : 1 / 0", 1),
    ("false ? 1 / 0 : 2", 2),
    ("1 / 0 > 1 ? 1 : 2", "divide by zero"),
    ('dyn("x") ? 1 : 2', "no such overload"),
    ("false ? 1 : true ? 2 : 3", 2),
    ("1 + 2 * 3 == 7 && !false", True),
]
DYNAMIC = [
    ("dyn(1) + 1", 2),
    ("dyn(1) + 1.0", "no such overload"),
    ("dyn(1) + dyn(true)", "no such overload"),
    ('dyn("a") - dyn("b")', "no such overload"),
    ("dyn(5.5) % 2", "no such overload"),
    ("-dyn(true)", "no such overload"),
    ('any.k[2] + "!"', "three!"),
    ("any.missing", "no such key"),
    ("any.k.first", "no such overload"),
    ("dyn(5).x", "no such overload"),
    ('dyn(order)["note"]', "no such overload"),
    ("dyn(order).nothing", "no such field"),
    ("has(dyn(5).x)", "no such overload"),
]
TABLE = [
    *INTS,
    *FLOATS,
    *DECIMALS,
    *TIMES,
    *TEXTS_AND_LISTS,
    *EQUALITY,
    *MEMBERSHIP,
    *LOGIC,
    *DYNAMIC,
]


@pytest.mark.parametrize(("text", "value"), TABLE, ids=[text for text, _ in TABLE])
def test_operator(run, text, value):
    if isinstance(value, str) and value in _KINDS:
        with pytest.raises(CelError) as caught:
            run(text)
        assert caught.value.kind == value
    else:
        found = run(text)
        assert found == value
        assert type(found) is type(value)


_KINDS = {
    "overflow",
    "range error",
    "divide by zero",
    "modulus by zero",
    "no such key",
    "no such field",
    "no such overload",
    "invalid argument",
}


def test_not_a_number(run):
    assert math.isnan(run("0.0 / 0.0"))


def test_decimals_keep_their_digits(run):
    assert str(run('decimal("1.50") * decimal("1.0")')) == "1.500"
    assert str(run("-" + 'decimal("1.234567890123456789012345678901234567890")')).endswith("7890")
