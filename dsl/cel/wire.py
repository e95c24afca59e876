"""Values as JSON and back, by their type: what plans hold and messages may carry.

int is a number; float a number or `"NaN"`, `"Infinity"`, `"-Infinity"`; decimal, uuid, date and
enum symbols are strings; timestamp is RFC 3339 in UTC; duration is `"1.5s"`; bytes is base64.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from dsl import types
from dsl.cel import conversions, instants
from dsl.cel.arithmetic import INT_MAX, INT_MIN
from dsl.cel.errors import INVALID_ARGUMENT, CelError, type_name
from dsl.fine import PLAIN
from dsl.types import Scalar, Type
from dsl.values import TypeValue

type_of = type  # the builtin, where a parameter has its name
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def to_json(value: Any, type: Type) -> Any:
    """The JSON form of a value. Raises `CelError` when the value is not of the type."""
    match type:
        case types.Optional(of):
            return None if value is None else to_json(value, of)
        case types.ListOf(item) if isinstance(value, list):
            return [to_json(v, item) for v in value]
        case types.MapOf(_, item) if isinstance(value, dict):
            return {_key(k): to_json(v, item) for k, v in value.items()}
        case types.Named() if isinstance(value, str):
            return value
        case Scalar.ANY:
            return _untyped(value)
        case Scalar():
            kind, write, _ = _SCALARS[type]
            found = PLAIN.get(type_of(value), type_of(value))
            if found is kind or (kind is str and isinstance(value, str)):
                return write(value)
    raise _mismatch(value, type)


def from_json(value: Any, type: Type) -> Any:
    """The value of a JSON form. Raises `CelError` when it does not fit the type."""
    match type:
        case types.Optional(of):
            return None if value is None else from_json(value, of)
        case types.ListOf(item) if isinstance(value, list):
            return [from_json(v, item) for v in value]
        case types.MapOf(_, item) if isinstance(value, dict):
            return {k: from_json(v, item) for k, v in value.items()}
        case types.Named() if isinstance(value, str):
            return value
        case Scalar.ANY:
            return value
        case Scalar():
            _, _, read = _SCALARS[type]
            return read(value)
    raise _mismatch(value, type)


def _mismatch(value: Any, type: Type) -> CelError:
    return CelError(INVALID_ARGUMENT, f"expected {type}, found {type_name(value)}")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    raise CelError(INVALID_ARGUMENT, "a map's key is a string in JSON")


def _untyped(value: Any) -> Any:
    if isinstance(value, list):
        return [_untyped(v) for v in value]
    if isinstance(value, dict):
        return {_key(k): _untyped(v) for k, v in value.items()}
    found = PLAIN.get(type(value), type(value))
    scalar = next((s for s, (kind, _, _) in _SCALARS.items() if kind is found), None)
    return value if scalar is None else to_json(value, scalar)


def _float_out(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _float_in(value: Any) -> float:
    if isinstance(value, str) and value in _SPECIAL:
        return _SPECIAL[value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise _mismatch(value, Scalar.FLOAT)


def _int_in(value: Any) -> int:
    if type(value) is int and INT_MIN <= value <= INT_MAX:
        return value
    if type(value) is int:
        raise CelError(INVALID_ARGUMENT, f"{value} does not fit a 64-bit int")
    raise _mismatch(value, Scalar.INT)


def _bytes_in(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CelError(INVALID_ARGUMENT, f"{text!r} is not base64") from None


def _same(value: Any) -> Any:
    return value


def _of(kind: type, scalar: Scalar) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise _mismatch(value, scalar)
        return value

    return read


def _text(parse: Callable[[str], Any], scalar: Scalar) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, str):
            raise _mismatch(value, scalar)
        return parse(value)

    return read


_Codec = tuple[type, Callable[[Any], Any], Callable[[Any], Any]]

_SCALARS: dict[Scalar, _Codec] = {
    Scalar.STRING: (str, _same, _of(str, Scalar.STRING)),
    Scalar.INT: (int, _same, _int_in),
    Scalar.FLOAT: (float, _float_out, _float_in),
    Scalar.BOOL: (bool, _same, _of(bool, Scalar.BOOL)),
    Scalar.NULL: (type(None), _same, _of(type(None), Scalar.NULL)),
    Scalar.TYPE: (TypeValue, lambda t: t.name, _text(TypeValue, Scalar.TYPE)),
    Scalar.DECIMAL: (
        Decimal,
        conversions.format_decimal,
        _text(conversions.parse_decimal, Scalar.DECIMAL),
    ),
    Scalar.BYTES: (bytes, lambda b: base64.b64encode(b).decode(), _text(_bytes_in, Scalar.BYTES)),
    Scalar.UUID: (UUID, str, _text(conversions.parse_uuid, Scalar.UUID)),
    Scalar.TIMESTAMP: (
        datetime,
        instants.format_timestamp,
        _text(instants.parse_timestamp, Scalar.TIMESTAMP),
    ),
    Scalar.DATE: (date, date.isoformat, _text(instants.parse_date, Scalar.DATE)),
    Scalar.DURATION: (
        timedelta,
        instants.format_duration,
        _text(instants.parse_duration, Scalar.DURATION),
    ),
}
