"""Typed payloads as JSON: what is written, what is accepted, what is said when it is not."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsl.fine import duration_of, timestamp_of
from dsl.load import check_texts
from dsl.model import Program
from dsl.types import (
    BOOL,
    BYTES,
    DATE,
    DECIMAL,
    DURATION,
    FLOAT,
    INT,
    STRING,
    TIMESTAMP,
    ListOf,
    MapOf,
    Named,
    OneOf,
    Type,
    optional,
)
from dsl.types import (
    UUID as UUID_TYPE,
)
from dsl.values import Struct
from orchestrator.messaging.codec import DecodeError, EncodeError, JsonCodec

_TEXT = """
module m
enum Color { red green }
record Line { sku: string  quantity: int where quantity > 0 }
record Order {
  id: uuid
  lines: list<Line>
  prices: map<string, decimal>
  color: Color = red
  note: string?
  shift: int? = 5
}
record Range { low: int  high: int where high / low >= 1 }
record Tree { name: string  children: list<Tree> }
"""

_LINE = {"sku": "a", "quantity": 1}


@pytest.fixture(scope="module")
def codec() -> JsonCodec:
    """A codec over the declarations above."""
    loaded = check_texts({"m.flow": _TEXT})
    assert loaded.program is not None, loaded.diagnostics
    return JsonCodec(loaded.program)


def order(**changes: Any) -> dict[str, Any]:
    """An order as JSON."""
    line = {"sku": "a", "quantity": 1}
    return {
        "id": "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "lines": [line],
        "prices": {"a": "1.50"},
        **changes,
    }


def test_a_record_is_read_with_its_defaults(codec: JsonCodec) -> None:
    """Every declared field is there; what is not declared is ignored."""
    found = codec.decode(json.dumps(order(unknown=1)).encode(), "m.Order")
    assert isinstance(found, Struct)
    assert found.type == "m.Order"
    assert found == {
        "id": UUID("3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
        "lines": [{"sku": "a", "quantity": 1}],
        "prices": {"a": Decimal("1.50")},
        "color": "red",
        "note": None,
        "shift": 5,
    }
    assert found["lines"][0].type == "m.Line"


def test_first_values_may_come_in_many_threads_at_once() -> None:
    """A worker reads in threads: none takes what another has begun for all of the fields."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    fields = " ".join(f"f{n}: int" for n in range(40))
    program = check_texts({"m.flow": f"module m record R {{ {fields} }}"}).program
    assert program
    value = {f"f{n}": n for n in range(40)}
    data = json.dumps(value).encode()
    try:
        with ThreadPoolExecutor(8) as threads:
            for _ in range(30):
                fresh = JsonCodec(program)
                at_once = Barrier(8)

                def read(codec: JsonCodec = fresh, barrier: Barrier = at_once) -> Any:
                    barrier.wait()
                    return codec.decode(data, "m.R")

                read_by_each = [threads.submit(read) for _ in range(8)]
                assert all(each.result() == value for each in read_by_each)
    finally:
        sys.setswitchinterval(interval)


def test_a_null_is_kept_where_leaving_out_means_something_else(codec: JsonCodec) -> None:
    """`note` is left out; `shift` has a default, so its null is written."""
    value = codec.decode(json.dumps(order(shift=None)).encode(), "m.Order")
    wire = json.loads(codec.encode(value, "m.Order"))
    assert "note" not in wire
    assert wire["shift"] is None
    assert codec.decode(codec.encode(value, "m.Order"), "m.Order") == value


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lines": [_LINE | {"quantity": "two"}]}, '`lines[0].quantity` must be an int, not "two"'),
        ({"lines": [{"sku": "a", "quantity": 1}, 5]}, "`lines[1]` must be an object, not 5"),
        ({"lines": {}}, "`lines` must be a list, not {}"),
        ({"lines": [{"sku": "a"}]}, "`lines[0].quantity` is missing"),
        (
            {"lines": [_LINE | {"quantity": 0}]},
            "`lines[0].quantity` must satisfy `quantity > 0`, but is 0",
        ),
        ({"lines": [{"sku": None, "quantity": 1}]}, "`lines[0].sku` must be a string, not null"),
        (
            {"prices": {"a": 1.5}},
            '`prices["a"]` must be a decimal as a string like "12.30", not 1.5',
        ),
        ({"prices": []}, "`prices` must be a map, not []"),
        ({"color": "blue"}, '`color` must be one of `red`, `green`, not "blue"'),
        ({"color": None}, "`color` must be one of `red`, `green`, not null"),
        ({"id": "x" * 200}, f'`id` must be a UUID, not "{"x" * 59}…'),
    ],
)
def test_errors_say_where_and_what(codec: JsonCodec, changes: Any, message: str) -> None:
    """A path, one sentence, and the wrong value, cut when it is long."""
    with pytest.raises(DecodeError) as caught:
        codec.decode(json.dumps(order(**changes)).encode(), "m.Order")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the message is not JSON (Expecting value at character 0)"),
        (b"[1", "the message is not JSON"),
        (b"\xff", "the message is not JSON (it is not UTF-8)"),
        (b'{"id": NaN}', "the message is not JSON (NaN is not a JSON number)"),
        (b"[" * 200_000, "the message is not JSON (it is nested too deeply)"),
        (b'{"id": ' + b"1" * 5000 + b"}", "the message is not JSON"),
        (b"[]", "the message must be an object, not []"),
    ],
)
def test_what_is_no_json_object_is_refused(codec: JsonCodec, data: bytes, message: str) -> None:
    """Whatever the bytes are, the error is a DecodeError."""
    with pytest.raises(DecodeError) as caught:
        codec.decode(data, "m.Order")
    assert str(caught.value).startswith(message)


def test_a_rule_that_cannot_be_computed_is_broken(codec: JsonCodec) -> None:
    """A division by zero in a constraint is the value's fault."""
    with pytest.raises(
        DecodeError, match="`high` breaks its rule `high / low >= 1`: divide by zero"
    ):
        codec.decode(b'{"low": 0, "high": 1}', "m.Range")


def test_a_record_may_hold_itself(codec: JsonCodec) -> None:
    """Recursion ends where the data ends."""
    data = b'{"name":"a","children":[{"name":"b","children":[]}]}'
    assert codec.encode(codec.decode(data, "m.Tree"), "m.Tree") == data


@pytest.mark.parametrize(
    ("type", "value", "wire"),
    [
        (INT, 2**63 - 1, 2**63 - 1),
        (FLOAT, 1.5, 1.5),
        (BOOL, True, True),
        (STRING, "ä", "ä"),
        (DECIMAL, Decimal("12.30"), "12.30"),
        (BYTES, b"\x00\xff", "AP8="),
        (DATE, date(2026, 12, 31), "2026-12-31"),
        (TIMESTAMP, datetime(2026, 12, 31, 23, tzinfo=UTC), "2026-12-31T23:00:00Z"),
        (DURATION, timedelta(minutes=1, seconds=30), "90s"),
        (optional(INT), None, None),
        (ListOf(optional(INT)), [1, None], [1, None]),
        (MapOf(STRING, BOOL), {"a": False}, {"a": False}),
    ],
)
def test_wire_forms(codec: JsonCodec, type: Type, value: Any, wire: Any) -> None:
    """Each type has one form, both ways."""
    assert codec.to_wire(value, type) == wire
    assert codec.from_wire(wire, type) == value


@pytest.mark.parametrize(
    ("type", "wire", "value"),
    [
        (FLOAT, 1, 1.0),
        (
            TIMESTAMP,
            "2026-12-31T23:00:00.123456789+02:00",
            timestamp_of(1_798_750_800_123_456_789),
        ),
        (DURATION, "1m30s", timedelta(seconds=90)),
    ],
)
def test_other_forms_that_are_accepted(codec: JsonCodec, type: Type, wire: Any, value: Any) -> None:
    """Senders in other languages write these."""
    found = codec.from_wire(wire, type)
    assert found == value
    assert found.__class__ is value.__class__


@pytest.mark.parametrize(
    ("type", "wire"),
    [
        (INT, True),
        (INT, 1.0),
        (INT, 2**63),
        (INT, "1"),
        (FLOAT, True),
        (FLOAT, "1"),
        (FLOAT, float("inf")),
        (FLOAT, 10**400),
        (BOOL, 1),
        (STRING, 1),
        (STRING, "\ud800"),
        (DECIMAL, 1),
        (DECIMAL, "1,5"),
        (DECIMAL, "NaN"),
        (DECIMAL, "1" * 60),
        (BYTES, "?"),
        (UUID_TYPE, "3f2504e04f8911d39a0c0305e82c3301"),
        (DATE, "2026-02-30"),
        (DATE, "2026-W01-1"),
        (TIMESTAMP, "2026-12-31T23:00:00"),
        (TIMESTAMP, "0001-01-01T00:00:00+14:00"),
        (DURATION, "soon"),
        (DURATION, ""),
        (MapOf(STRING, INT), [1]),
        (ListOf(INT), "12"),
    ],
)
def test_what_is_not_accepted(codec: JsonCodec, type: Type, wire: Any) -> None:
    """Nothing is guessed at."""
    with pytest.raises(DecodeError):
        codec.from_wire(wire, type)


@pytest.mark.parametrize(
    ("type", "value"),
    [
        (INT, True),
        (INT, 2**63),
        (FLOAT, float("nan")),
        (FLOAT, 1),
        (DECIMAL, Decimal("Infinity")),
        (DECIMAL, Decimal("1" * 60)),
        (STRING, "\udfff"),
        (TIMESTAMP, datetime(2026, 1, 1)),
        (DATE, datetime(2026, 1, 1, tzinfo=UTC)),
        (Named("m.Color"), "blue"),
        (Named("m.Line"), {"sku": "a"}),
        (Named("m.Line"), Struct("m.Tree", {"sku": "a", "quantity": 1})),
    ],
)
def test_what_does_not_fit_is_not_sent(codec: JsonCodec, type: Type, value: Any) -> None:
    """A sender notices its own mistakes."""
    with pytest.raises(EncodeError):
        codec.to_wire(value, type)


def test_a_union_has_no_wire_form(codec: JsonCodec) -> None:
    """The envelope tells which of the messages it is."""
    with pytest.raises(TypeError, match="the envelope"):
        codec.to_wire({}, OneOf(("m.A", "m.B")))


@pytest.mark.parametrize(
    ("field", "key"), [("id", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"), ("shift", "5")]
)
def test_keys_are_wire_forms_without_quotes(codec: JsonCodec, field: str, key: str) -> None:
    """All senders agree on a key's text."""
    value = codec.decode(json.dumps(order()).encode(), "m.Order")
    assert codec.key(value, "m.Order", field) == key


_texts = st.text(st.characters(exclude_categories=("Cs",)))
_zones = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
_instants = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=_zones)
_decimals = st.decimals(-(10**20), 10**20, allow_nan=False, allow_infinity=False, places=6)
_values: list[tuple[Type, st.SearchStrategy[Any]]] = [
    (STRING, _texts),
    (INT, st.integers(-(2**63), 2**63 - 1)),
    (FLOAT, st.floats(allow_nan=False, allow_infinity=False)),
    (BOOL, st.booleans()),
    (DECIMAL, _decimals),
    (BYTES, st.binary()),
    (UUID_TYPE, st.uuids()),
    (DATE, st.dates()),
    (TIMESTAMP, _instants),
    (DURATION, st.timedeltas(timedelta(days=-3_000_000), timedelta(days=3_000_000))),
    (TIMESTAMP, st.integers(-(10**18), 10**18).map(timestamp_of)),
    (DURATION, st.integers(-(10**18), 10**18).map(duration_of)),
    (Named("m.Color"), st.sampled_from(["red", "green"])),
]


def _any_value(depth: int = 3) -> st.SearchStrategy[tuple[Type, Any]]:
    scalars = st.one_of(*(v.map(lambda x, t=t: (t, x)) for t, v in _values))  # type: ignore[misc]
    if depth == 0:
        return scalars
    inner = _any_value(depth - 1)
    return st.one_of(
        scalars,
        inner.map(lambda p: (ListOf(p[0]), [p[1], p[1]])),
        st.tuples(_texts, inner).map(lambda p: (MapOf(STRING, p[1][0]), {p[0]: p[1][1]})),
        inner.map(lambda p: (optional(p[0]), p[1])),
        inner.map(lambda p: (optional(p[0]), None)),
    )


@given(_any_value())
def test_every_value_survives_the_wire(codec: JsonCodec, pair: tuple[Type, Any]) -> None:
    """Through real JSON text and back, equal and of the same class."""
    type, value = pair
    text = json.dumps(codec.to_wire(value, type), allow_nan=False)
    found = codec.from_wire(json.loads(text), type)
    assert found == value
    assert found.__class__ is value.__class__


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.sampled_from(["m.Order", "m.Line", "m.Tree", "m.Range"]), _json, st.data())
def test_nonsense_is_a_decode_error(codec: JsonCodec, name: str, noise: Any, data: Any) -> None:
    """Whatever a sender writes, no other exception comes out, and its text is short."""
    fields = [f.name for f in _program(codec).record(name).fields]
    value = data.draw(st.dictionaries(st.sampled_from(fields), _json)) if fields else noise
    for candidate in (noise, value):
        try:
            codec.from_wire(candidate, Named(name))
        except DecodeError as error:
            assert len(error.problem) < 300


def _program(codec: JsonCodec) -> Program:
    found = codec._types
    assert isinstance(found, Program)
    return found
