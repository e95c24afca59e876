"""The JSON forms of the built-in types, strictly: one encoder and one decoder each.

The texts are those of `dsl.cel`, which plans hold too; here a float is finite, as JSON has it.
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

from dsl.cel import conversions, instants
from dsl.cel.errors import CelError
from dsl.fine import PLAIN
from dsl.types import Scalar
from dsl.values import TypeValue
from orchestrator.messaging.codec_error import DecodeError, EncodeError, shown

Convert = Callable[[Any], Any]

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1


# --- from the wire ---------------------------------------------------------------------------


def _string(value: Any) -> str:
    if type(value) is not str:
        raise DecodeError(f"must be a string, not {shown(value)}")
    if not value.isascii() and not _encodable(value):
        raise DecodeError("must be Unicode text, without lone surrogates")
    return value


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _int(value: Any) -> int:
    if type(value) is not int:
        raise DecodeError(f"must be an int, not {shown(value)}")
    if not _INT_MIN <= value <= _INT_MAX:
        raise DecodeError(f"must fit 64 bits, not {shown(value)}")
    return value


def _float(value: Any) -> float:
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            pass
    raise DecodeError(f"must be a number that a float can hold, not {shown(value)}")


def _bool(value: Any) -> bool:
    if type(value) is not bool:
        raise DecodeError(f"must be a bool, not {shown(value)}")
    return value


def _bytes(value: Any) -> bytes:
    try:
        if type(value) is str:
            return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise DecodeError(f"must be bytes in base64, not {shown(value)}")


def _null(value: Any) -> None:
    if value is not None:
        raise DecodeError(f"must be null, not {shown(value)}")


def _parsed(parse: Callable[[str], Any], wanted: str) -> Convert:
    def decode(value: Any) -> Any:
        if type(value) is str:
            try:
                return parse(value)
            except CelError:
                pass
        raise DecodeError(f"must be {wanted}, not {shown(value)}")

    return decode


FROM_WIRE: dict[Scalar, Convert] = {
    Scalar.STRING: _string,
    Scalar.INT: _int,
    Scalar.FLOAT: _float,
    Scalar.BOOL: _bool,
    Scalar.DECIMAL: _parsed(conversions.parse_decimal, 'a decimal as a string like "12.30"'),
    Scalar.BYTES: _bytes,
    Scalar.UUID: _parsed(conversions.parse_uuid, "a UUID"),
    Scalar.DATE: _parsed(instants.parse_date, 'a date like "2026-12-31"'),
    Scalar.TIMESTAMP: _parsed(
        instants.parse_timestamp, 'a timestamp with an offset like "2026-12-31T23:59:00Z"'
    ),
    Scalar.DURATION: _parsed(instants.parse_duration, 'a duration like "1m30s"'),
    Scalar.NULL: _null,
    Scalar.ANY: lambda value: value,
    Scalar.TYPE: _parsed(TypeValue, "the name of a type"),
}


# --- to the wire -----------------------------------------------------------------------------


def _checked(kind: type, name: str, convert: Convert) -> Convert:
    def encode(value: Any) -> Any:
        # `type`, not `isinstance`: a bool is no int here, and a datetime no date.
        if PLAIN.get(type(value), type(value)) is not kind:
            raise EncodeError(f"must be {name}, not {type(value).__name__}")
        return convert(value)

    return encode


def _same(value: Any) -> Any:
    return value


def _string_out(value: Any) -> str:
    # An enum's symbol may come as a member of a StrEnum.
    if not isinstance(value, str):
        raise EncodeError(f"must be a string, not {type(value).__name__}")
    if not value.isascii() and not _encodable(value):
        raise EncodeError("must be Unicode text, without lone surrogates")
    return str(value)


def _int_out(value: int) -> int:
    if not _INT_MIN <= value <= _INT_MAX:
        raise EncodeError("must fit 64 bits")
    return value


def _float_out(value: float) -> float:
    if not math.isfinite(value):
        raise EncodeError(f"must be finite: JSON has no {value}")
    return value


def _decimal_out(value: Decimal) -> str:
    if not value.is_finite():
        raise EncodeError(f"must be finite, not {value}")
    text = conversions.format_decimal(value)
    try:
        conversions.parse_decimal(text)
    except CelError:
        raise EncodeError("must be a decimal of at most 50 digits") from None
    return text


def _timestamp_out(value: datetime) -> str:
    if value.tzinfo is None:
        raise EncodeError("must be a timestamp with an offset from UTC")
    try:
        return instants.format_timestamp(value)
    except OverflowError:
        raise EncodeError("must lie in the years 1 to 9999 in UTC") from None


TO_WIRE: dict[Scalar, Convert] = {
    Scalar.STRING: _string_out,
    Scalar.INT: _checked(int, "an int", _int_out),
    Scalar.FLOAT: _checked(float, "a float", _float_out),
    Scalar.BOOL: _checked(bool, "a bool", _same),
    Scalar.DECIMAL: _checked(Decimal, "a decimal", _decimal_out),
    Scalar.BYTES: _checked(bytes, "bytes", lambda v: base64.b64encode(v).decode()),
    Scalar.UUID: _checked(UUID, "a UUID", str),
    Scalar.DATE: _checked(date, "a date", date.isoformat),
    Scalar.TIMESTAMP: _checked(datetime, "a timestamp", _timestamp_out),
    Scalar.DURATION: _checked(timedelta, "a duration", instants.format_duration),
    Scalar.NULL: _checked(type(None), "null", _same),
    Scalar.ANY: _same,
    Scalar.TYPE: _checked(TypeValue, "a type", lambda t: t.name),
}
