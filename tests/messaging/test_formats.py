"""Avro and Protobuf payloads: what is written is what a library of that format reads, and every
value survives."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.cel.nodes import Const
from dsl.fine import coarse, duration_of, timestamp_of
from dsl.load import check_texts
from dsl.model import EnumModel, FieldModel, Program, RecordModel
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
    Type,
    optional,
)
from dsl.types import UUID as UUID_TYPE
from dsl.values import Struct
from orchestrator.messaging.avro import AvroFormat
from orchestrator.messaging.codec import DecodeError, JsonCodec
from orchestrator.messaging.payloads import AVRO, PROTOBUF, Format, Payloads
from orchestrator.messaging.protobuf import ProtobufFormat

FLOW = """
module m
enum Color { red green }
record Line { sku: string @1  colors: list<Color> @2  next: Line? @3 }

service bank {
  format: FORMAT
  command Pay key id {
    id: uuid @1
    amount: decimal @2
    at: timestamp @3
    on: date @4
    wait: duration @5
    lines: map<string, Line> @16
    note: string? @7
  } replies Paid
  event Paid key id { id: uuid @1  n: int @2  note: string @3 = "none" }
}
"""

ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
VALUE = {
    "id": UUID(ID),
    "amount": Decimal("1.50"),
    "at": datetime(2026, 1, 2, 3, 4, 5, 600, UTC),
    "on": date(2026, 12, 31),
    "wait": timedelta(seconds=-1, microseconds=-500_000),
    "lines": {
        "a": Struct(
            "m.Line",
            {
                "sku": "x",
                "colors": ["green", "red"],
                "next": Struct("m.Line", {"sku": "y", "colors": [], "next": None}),
            },
        )
    },
    "note": None,
}


def program(format: str = "avro") -> Program:
    """The declarations above."""
    loaded = check_texts({"m.flow": FLOW.replace("FORMAT", format)})
    assert loaded.program, loaded.diagnostics
    return loaded.program


@pytest.mark.parametrize(
    ("format", "content_type"),
    [("avro", AVRO), ("protobuf", PROTOBUF), ("json", "application/json")],
)
def test_a_message_is_written_in_its_services_format(format: str, content_type: str) -> None:
    """And read by its content type, to the value that it was."""
    types = program(format)
    payloads, codec = Payloads(types), JsonCodec(types)
    wire = codec.to_wire(VALUE, Named("m.bank.Pay"))
    data, kind = payloads.write(wire, "bank.Pay")
    assert kind == content_type
    found = payloads.read(data, kind, "bank.Pay")
    assert codec.from_wire(found, Named("m.bank.Pay")) == VALUE
    assert payloads.write(found, "bank.Pay") == (data, kind)


@pytest.mark.parametrize("format", ["json", "protobuf", "avro"])
def test_times_keep_their_nanoseconds(format: str) -> None:
    """But for Avro's timestamps, which end at microseconds."""
    types = program(format)
    payloads, codec = Payloads(types), JsonCodec(types)
    fine = {**VALUE, "at": timestamp_of(-1_000_000_001), "wait": duration_of(-1_500_000_001)}
    data, kind = payloads.write(codec.to_wire(fine, Named("m.bank.Pay")), "bank.Pay")
    found = codec.from_wire(payloads.read(data, kind, "bank.Pay"), Named("m.bank.Pay"))
    assert found["wait"] == fine["wait"]
    assert found["at"] == (coarse(fine["at"]) if format == "avro" else fine["at"])


def test_json_is_read_where_avro_is_declared() -> None:
    """A service may change its format while old messages wait."""
    payloads = Payloads(program("avro"))
    assert payloads.read(b'{"n": 1}', "application/json; charset=utf-8", "bank.Paid") == {"n": 1}


def test_avro_is_that_of_another_reader() -> None:
    """Anyone's reader needs the bytes alone, and has the schema's own types."""
    types = program()
    wire = JsonCodec(types).to_wire(VALUE, Named("m.bank.Pay"))
    (found,) = fastavro.reader(BytesIO(AvroFormat(types).encode(wire, "m.bank.Pay")))
    assert isinstance(found, dict)
    assert (found["id"], found["at"], found["on"]) == (VALUE["id"], VALUE["at"], VALUE["on"])
    assert (found["amount"], found["note"]) == ("1.50", None)


def container(schema: Any, *records: Any, codec: str = "null") -> bytes:
    """An Avro file of someone else."""
    out = BytesIO()
    fastavro.writer(out, fastavro.parse_schema(schema), records, codec)
    return out.getvalue()


def record(*fields: tuple[str, Any]) -> Any:
    """An Avro schema."""
    return {"type": "record", "name": "R", "fields": [{"name": n, "type": t} for n, t in fields]}


def read(data: bytes, format: str = "avro", name: str = "Paid") -> Any:
    """A message by its contract above."""
    types, kind = program(format), AVRO if format == "avro" else PROTOBUF
    wire = Payloads(types).read(data, kind, f"bank.{name}")
    return JsonCodec(types).from_wire(wire, Named(f"m.bank.{name}"))


def test_avro_of_another_version_is_read() -> None:
    """By the names of its fields, in whatever order; a new one is passed over."""
    newer = record(("extra", {"type": "array", "items": "string"}), ("n", "int"), ("id", "string"))
    data = container(newer, {"extra": ["x"], "n": 7, "id": ID})
    assert read(data) == {"id": UUID(ID), "n": 7, "note": "none"}


def test_avro_that_lacks_a_field_is_refused() -> None:
    """When the field has no default; the message says which one."""
    with pytest.raises(DecodeError, match="`n` is missing"):
        read(container(record(("id", "string")), {"id": ID}))
    with pytest.raises(DecodeError, match="`n` must be an int"):
        read(container(record(("id", "string"), ("n", "string")), {"id": ID, "n": "1"}))


def test_avro_decimals_of_others_are_exact() -> None:
    """Its own kind of decimals is read digit for digit."""
    money = {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 4}
    data = container(record(("amount", money)), {"amount": Decimal("-12345678901234567890.1000")})
    wire = Payloads(program()).read(data, AVRO, "bank.Pay")
    assert wire == {"amount": "-12345678901234567890.1000"}


@pytest.mark.parametrize("make", [AvroFormat, ProtobufFormat])
def test_records_without_fields_can_be_counted(make: Any) -> None:
    """A list of them has as many as were written."""
    text = (
        "module m record Dot {} service s { event Done key id { id: int @1  dots: list<Dot> @2 } }"
    )
    types = check_texts({"m.flow": text}).program
    assert types
    wire = {"id": 1, "dots": [{}, {}, {}]}
    format, codec = make(types), JsonCodec(types)
    found = codec.from_wire(format.decode(format.encode(wire, "m.s.Done"), "m.s.Done"), DONE)
    assert codec.to_wire(found, DONE) == wire


DONE = Named("m.s.Done")
LISTS = {"type": "array", "items": "null"}
NESTED = {"type": "record", "name": "N", "fields": [{"name": "n", "type": ["null", "N"]}]}


def bomb(schema: Any, body: bytes) -> bytes:
    """A container whose one record is of these bytes."""
    empty = container(schema)
    size = BytesIO()
    fastavro.schemaless_writer(size, fastavro.parse_schema("bytes"), body)
    return empty + b"\x02" + size.getvalue() + empty[-16:]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not an Avro container"),
        (b"\xc3\x01" + bytes(20), "not an Avro container"),
        (container(record(("n", "int"))), "more or less than one"),
        (container(record(("n", "int")), {"n": 1}, {"n": 2}), "more or less than one"),
        (container(record(("n", "int")), {"n": 1}, codec="deflate"), "compressed"),
        (container(record(("n", "int")), {"n": 1})[:-1], "not an Avro container"),
        (bomb(LISTS, b"\xfe" + b"\xff" * 8 + b"\x01"), "lists of what takes no bytes"),
        (bomb(record(("x", LISTS)), b"\xfe" + b"\xff" * 8 + b"\x01"), "takes no bytes"),
        (bomb({"type": "array", "items": record()}, b"\xfe" + b"\xff" * 8 + b"\x01"), "no bytes"),
        (bomb(NESTED, b"\x02" * 1_000_000), "RecursionError"),
    ],
)
def test_avro_that_would_harm_is_a_decode_error(data: bytes, problem: str) -> None:
    """Whatever a stranger sends neither ends nor holds up the process."""
    with pytest.raises(DecodeError, match=problem):
        read(data)


def test_protobuf_has_the_declared_numbers() -> None:
    """Field by field, as the wire format says: number and kind, then the value."""
    format = ProtobufFormat(program("protobuf"))
    data = format.encode({"id": "ab", "n": 300}, "m.bank.Paid")
    assert data == b"\x0a\x02ab" + b"\x10\xac\x02"


def test_protobuf_of_another_version_is_read() -> None:
    """A field of a newer sender is passed over, one that is absent takes its default, and one
    without is missing."""
    id = b"\x0a\x24" + ID.encode()
    newer = id + b"\x10\x01" + b"\x9a\x06\x03new"
    assert read(newer, "protobuf") == {"id": UUID(ID), "n": 1, "note": "none"}
    with pytest.raises(DecodeError, match="`n` is missing"):
        read(id, "protobuf")


# --- every type


class Declared:
    """Declarations with one record whose field has the type that is asked for."""

    def __init__(self, type: Type, default: bool) -> None:
        constant = Const(type=STRING, value="unused") if default else None
        self._records = {
            "t.R": RecordModel(
                name="t.R", fields=(FieldModel(name="x", type=type, number=5, default=constant),)
            ),
            "t.Line": RecordModel(
                name="t.Line",
                fields=(
                    FieldModel(name="n", type=INT, number=1),
                    FieldModel(name="down", type=optional(Named("t.Line")), number=2),
                ),
            ),
        }

    def record(self, name: str) -> RecordModel:
        """Raises KeyError."""
        return self._records[name]

    def enum(self, name: str) -> EnumModel:
        """Raises KeyError."""
        return {"t.Color": EnumModel(name="t.Color", symbols=("red", "green"))}[name]


_texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=5)
_line = st.recursive(
    st.none(),
    lambda down: st.builds(
        lambda n, d: Struct("t.Line", {"n": n, "down": d}), st.integers(-9, 9), down
    ),
    max_leaves=3,
).filter(lambda line: line is not None)
_scalars: list[tuple[Type, st.SearchStrategy[Any]]] = [
    (STRING, _texts),
    (INT, st.integers(-(2**63), 2**63 - 1)),
    (FLOAT, st.floats(allow_nan=False, allow_infinity=False)),
    (BOOL, st.booleans()),
    (DECIMAL, st.decimals(-(10**20), 10**20, allow_nan=False, allow_infinity=False, places=6)),
    (BYTES, st.binary(max_size=9)),
    (UUID_TYPE, st.uuids()),
    (DATE, st.dates()),
    (TIMESTAMP, st.datetimes(timezones=st.just(UTC))),
    (DURATION, st.timedeltas(timedelta(days=-3_000_000), timedelta(days=3_000_000))),
    (Named("t.Color"), st.sampled_from(["red", "green"])),
    (Named("t.Line"), _line),
]


def _typed(depth: int = 3) -> st.SearchStrategy[tuple[Type, Any]]:
    scalars = st.one_of(*(v.map(lambda x, t=t: (t, x)) for t, v in _scalars))  # type: ignore[misc]
    if depth == 0:
        return scalars
    inner = _typed(depth - 1)
    return st.one_of(
        scalars,
        inner.map(lambda p: (ListOf(p[0]), [p[1], p[1]])),
        inner.map(lambda p: (ListOf(p[0]), [])),
        st.tuples(_texts, inner).map(lambda p: (MapOf(STRING, p[1][0]), {p[0]: p[1][1]})),
        inner.map(lambda p: (optional(p[0]), p[1])),
        inner.map(lambda p: (optional(p[0]), None)),
        inner.map(lambda p: (ListOf(optional(p[0])), [p[1], None])),
    )


@pytest.mark.parametrize("make", [AvroFormat, ProtobufFormat])
@settings(max_examples=150)
@given(_typed(), st.booleans())
def test_every_value_survives(make: Any, pair: tuple[Type, Any], default: bool) -> None:
    """Of each type, and of each inside others; a null stays one where leaving it out would mean
    the field's default."""
    type, value = pair
    types = Declared(type, default)
    codec, format = JsonCodec(types), make(types)
    wire = codec.to_wire({"x": value}, Named("t.R"))
    found = codec.from_wire(format.decode(format.encode(wire, "t.R"), "t.R"), Named("t.R"))
    assert found == {"x": value}
    assert format.encode(wire, "t.R") == make(types).encode(wire, "t.R")


@pytest.mark.parametrize("make", [AvroFormat, ProtobufFormat])
@settings(max_examples=150)
@given(st.binary(max_size=60), _typed(1))
def test_nonsense_is_a_decode_error(make: Any, noise: bytes, pair: tuple[Type, Any]) -> None:
    """Whatever comes, no other exception comes out."""
    types = Declared(pair[0], False)
    format: Format = make(types)
    wire = JsonCodec(types).to_wire({"x": pair[1]}, Named("t.R"))
    good = format.encode(wire, "t.R")
    middle = len(good) // 2
    for data in (noise, good + noise, good[:middle] + noise, noise + good[middle:]):
        try:
            JsonCodec(types).from_wire(format.decode(data, "t.R"), Named("t.R"))
        except DecodeError as error:
            assert len(error.problem) < 300
