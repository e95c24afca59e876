"""Values as JSON and back."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from dsl.cel.errors import CelError
from dsl.cel.wire import from_json, to_json
from dsl.types import parse_type

ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
BOTH_WAYS = [
    ("string", "a", "a"),
    ("int", 2**63 - 1, 2**63 - 1),
    ("float", 1.5, 1.5),
    ("float", math.inf, "Infinity"),
    ("float", -math.inf, "-Infinity"),
    ("bool", True, True),
    ("decimal", Decimal("12.30"), "12.30"),
    ("decimal", Decimal("1e40"), "1" + "0" * 40),
    ("decimal", Decimal("1E+100"), "1E+100"),
    ("bytes", b"\x00\xff", "AP8="),
    ("uuid", UUID(ID), ID),
    ("date", date(2024, 2, 29), "2024-02-29"),
    ("timestamp", datetime(2024, 2, 29, 12, 0, 0, 500, UTC), "2024-02-29T12:00:00.0005Z"),
    ("duration", timedelta(seconds=1.5), "1.5s"),
    ("duration", timedelta(days=-1), "-86400s"),
    ("int?", None, None),
    ("int?", 5, 5),
    ("null", None, None),
    ("list<decimal>", [Decimal("1")], ["1"]),
    ("map<string, uuid?>", {"a": UUID(ID), "b": None}, {"a": ID, "b": None}),
    ("shop.Currency", "EUR", "EUR"),
    ("any", {"a": [1, "x", None, 1.5]}, {"a": [1, "x", None, 1.5]}),
]


@pytest.mark.parametrize(("type", "value", "wire"), BOTH_WAYS)
def test_both_ways(type, value, wire):
    assert to_json(value, parse_type(type)) == wire
    assert json.loads(json.dumps(wire)) == wire
    back = from_json(wire, parse_type(type))
    assert back == value
    assert back.__class__ is value.__class__


def test_a_float_may_come_as_a_whole_number():
    assert type(from_json(1, parse_type("float"))) is float


def test_nan():
    assert to_json(math.nan, parse_type("float")) == "NaN"
    assert math.isnan(from_json("NaN", parse_type("float")))


def test_a_timestamp_goes_out_in_utc():
    there = datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert to_json(there, parse_type("timestamp")) == "2023-12-31T22:00:00Z"


@pytest.mark.parametrize(
    ("type", "wire"),
    [
        ("string", 1),
        ("int", 1.5),
        ("int", True),
        ("int", "1"),
        ("int", 2**63),
        ("int", None),
        ("float", True),
        ("float", "1.5"),
        ("bool", 1),
        ("decimal", 1),
        ("decimal", "x"),
        ("bytes", "a"),
        ("bytes", "ä==="),
        ("uuid", "x"),
        ("date", "2024-13-01"),
        ("timestamp", 5),
        ("duration", "x"),
        ("list<int>", {}),
        ("list<int>", [1, "x"]),
        ("map<string, int>", []),
        ("shop.Currency", 5),
    ],
)
def test_refused(type, wire):
    with pytest.raises(CelError):
        from_json(wire, parse_type(type))


@pytest.mark.parametrize(
    ("type", "value"),
    [("int", True), ("int", "1"), ("string", 1), ("date", datetime.now(UTC)), ("list<int>", "x")],
)
def test_not_of_the_type(type, value):
    with pytest.raises(CelError):
        to_json(value, parse_type(type))
