"""Any value of a running saga as JSON and back, exactly: the JSON tells the type.

Null, bools, ints, strings and lists are themselves; every other value is an object with one
member, whose name tells what it is. Other than `dsl.cel.wire` and the codec of messages it needs no
declared type, and keeps what those let go: a decimal's trailing zeros, a float that is not finite.

These shapes stand in histories, so tags are added, never changed.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from dsl.fine import FineDuration, FineTimestamp, duration_of, nanoseconds, timestamp_of
from dsl.values import Struct, TypeValue

_MICROSECOND = timedelta(microseconds=1)


def to_tagged(value: Any) -> Any:
    """What `json` writes for a value. Raises TypeError for what is no value of the language."""
    kind = type(value)
    if value is None or kind is bool or kind is int or kind is str:
        return value
    if kind is list:
        return [to_tagged(v) for v in value]
    if kind is Struct:
        return {"struct": [value.type, {n: to_tagged(v) for n, v in value.items()}]}
    if kind is dict:
        return {"map": [[k, to_tagged(v)] for k, v in value.items()]}
    if kind in _SCALARS:
        tag, write, _ = _SCALARS[kind]
        return {tag: write(value)}
    if isinstance(value, str):  # an enum's symbol may come as a member of a StrEnum
        return str(value)
    raise TypeError(f"not a value of the language: {kind.__name__}")


def from_tagged(tagged: Any) -> Any:
    """The value that `to_tagged` wrote. Raises ValueError for what it cannot have written."""
    if isinstance(tagged, list):
        return [from_tagged(v) for v in tagged]
    if not isinstance(tagged, dict):
        return tagged
    ((tag, inside),) = tagged.items()
    if tag == "struct":
        name, fields = inside
        return Struct(name, {n: from_tagged(v) for n, v in fields.items()})
    if tag == "map":
        return {k: from_tagged(v) for k, v in inside}
    if tag not in _READERS:
        raise ValueError(f"not the tag of a value: {tag!r}")
    return _READERS[tag](inside)


def _timestamp(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat()


_SCALARS: dict[type, tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    # As text: JSON written again by others may make an int of 1.0, and knows no infinity.
    float: ("float", repr, float),
    Decimal: ("decimal", str, Decimal),
    bytes: ("bytes", lambda b: base64.b64encode(b).decode(), base64.b64decode),
    UUID: ("uuid", str, UUID),
    date: ("date", date.isoformat, date.fromisoformat),
    datetime: ("timestamp", _instant, _timestamp),
    timedelta: ("duration", lambda d: d // _MICROSECOND, lambda n: n * _MICROSECOND),
    FineTimestamp: ("timestamp_ns", nanoseconds, timestamp_of),
    FineDuration: ("duration_ns", nanoseconds, duration_of),
    TypeValue: ("type", lambda t: t.name, TypeValue),
}
_READERS = {tag: read for tag, _, read in _SCALARS.values()}
