"""Messages as Avro, each with the schema of its writer: an object container file of one record
(https://avro.apache.org/docs/1.12.0/specification/#object-container-files).

A reader needs nothing else to read one that another version of the contract wrote: fields are
matched by name, what is unknown is passed over, what is missing takes its default.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from itertools import islice
from typing import Any
from uuid import UUID

# The compiled reader overflows the C stack on data that is nested 5,000 deep and takes the process
# down; the one in Python raises RecursionError, and on messages of this size is as fast.
from fastavro._read_py import reader
from fastavro.schema import parse_schema
from fastavro.write import writer

from dsl.cel.instants import format_timestamp, parse_timestamp
from dsl.model import RecordModel
from dsl.types import ListOf, MapOf, Named, Optional, Scalar, Type
from orchestrator.messaging.avro_guard import holds_lists_of_nothing
from orchestrator.messaging.avro_schema import declared, schema_of
from orchestrator.messaging.codec import Types
from orchestrator.messaging.codec_error import DecodeError

Convert = Callable[[Any], Any]


class AvroFormat:
    """Avro, by schemas made from declarations."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._schemas: dict[str, tuple[Any, bytes]] = {}
        self._writers: dict[Type, Convert] = {}

    def encode(self, wire: Any, qualified: str) -> bytes:
        """A message's JSON wire form as Avro; equal values give equal bytes."""
        schema, sync = self._schema(qualified)
        out = BytesIO()
        writer(out, schema, [self._writer(Named(qualified))(wire)], sync_marker=sync)
        return out.getvalue()

    def decode(self, data: bytes, qualified: str) -> Any:
        """The JSON wire form of a message. Raises DecodeError."""
        source = BytesIO(data)
        try:
            found = reader(source)
            if found.codec != "null":
                raise DecodeError("is compressed Avro; the topic compresses, the message must not")
            if holds_lists_of_nothing(found.writer_schema):
                raise DecodeError("has an Avro schema with lists of what takes no bytes")
            records = [_plain(record) for record in islice(found, 2)]
        except DecodeError:
            raise
        except Exception as error:  # fastavro has no class of its own for them
            raise DecodeError(f"is not an Avro container ({type(error).__name__})") from None
        if len(records) != 1:
            raise DecodeError("is an Avro container of more or less than one record")
        return records[0]

    def _schema(self, qualified: str) -> tuple[Any, bytes]:
        """The schema as the library wants it, and the mark between the parts of a container."""
        if qualified not in self._schemas:
            raw = schema_of(self._types, qualified)
            sync = hashlib.sha256(json.dumps(raw).encode()).digest()[:16]
            self._schemas[qualified] = parse_schema(raw), sync
        return self._schemas[qualified]

    def _writer(self, type: Type) -> Convert:
        if type not in self._writers:
            self._writers[type] = self._made(type)
        return self._writers[type]

    def _made(self, type: Type) -> Convert:
        match type:
            case Scalar():
                return _WRITERS.get(type, _same)
            case Optional(of):
                inner = self._writer(of)
                return lambda v: None if v is None else inner(v)
            case ListOf(item):
                inner = self._writer(item)
                return lambda v: [inner(i) for i in v]
            case MapOf(_, item):
                inner = self._writer(item)
                return lambda v: {k: inner(i) for k, i in v.items()}
            case Named(name):
                model = declared(self._types, name)
                return self._record(model) if isinstance(model, RecordModel) else _same
        raise TypeError(f"{type} has no Avro form")

    def _record(self, model: RecordModel) -> Convert:
        fields: list[tuple[str, Convert]] = []

        def convert(value: Any) -> dict[str, Any]:
            if not fields:  # at the first value, because a record may hold itself; at once,
                # because another thread's first value may come meanwhile
                fields[:] = [(f.name, self._writer(f.type)) for f in model.fields]
            return {name: into(value.get(name)) for name, into in fields}

        return convert


def _same(value: Any) -> Any:
    return value


#: From the JSON wire form to what the library writes.
_WRITERS: dict[Scalar, Convert] = {
    Scalar.FLOAT: float,
    Scalar.BYTES: base64.b64decode,
    Scalar.DATE: date.fromisoformat,
    Scalar.TIMESTAMP: parse_timestamp,
}


def _plain(value: Any) -> Any:
    """What the library read, of whatever schema, in JSON wire form; its reader checks the types."""
    match value:
        case dict():
            return {k: _plain(v) for k, v in value.items()}
        case list():
            return [_plain(v) for v in value]
        case bytes():
            return base64.b64encode(value).decode()
        case datetime():
            return format_timestamp(value)
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Decimal():
            return format(value, "f")
    return value
