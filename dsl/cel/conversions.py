"""`string() int() double() bool() bytes() decimal() uuid() date() timestamp() duration()`."""

from __future__ import annotations

import decimal
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from dsl.cel import instants
from dsl.cel.arithmetic import EXACT, INT_MAX, INT_MIN
from dsl.cel.errors import INVALID_ARGUMENT, RANGE, CelError, no_overload
from dsl.fine import PLAIN, coarse

_INT = re.compile(r"[+-]?[0-9]{1,40}")
_FLOAT = re.compile(
    r"[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf|infinity|nan)", re.IGNORECASE
)
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,5})?")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BOOLS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}

_Table = dict[type, Callable[[Any], Any]]


def _bad(text: str, wanted: str) -> CelError:
    return CelError(INVALID_ARGUMENT, f"{text!r} is not {wanted}")


def parse_int(text: str) -> int:
    """A decimal text of 64 bits."""
    if not _INT.fullmatch(text):
        raise _bad(text, "an int")
    return _in_range(int(text))


def _in_range(value: int) -> int:
    if INT_MIN <= value <= INT_MAX:
        return value
    raise CelError(RANGE, f"{value} does not fit a 64-bit int")


def _int_of_float(value: float) -> int:
    if -(2.0**63) < value < 2.0**63:
        return int(value)
    raise CelError(RANGE, f"{format_float(value)} does not fit a 64-bit int")


def _int_of_decimal(value: Decimal) -> int:
    if value.adjusted() > 20:
        raise CelError(RANGE, f"{value} does not fit a 64-bit int")
    return _in_range(int(value))


def parse_float(text: str) -> float:
    """A float's text, `inf` and `nan` included; out of range is an error."""
    if not _FLOAT.fullmatch(text):
        raise _bad(text, "a float")
    value = float(text)
    if math.isinf(value) and "inf" not in text.lower():
        raise CelError(RANGE, f"{text!r} does not fit a float")
    return value


def format_float(value: float) -> str:
    """The shortest text that reads back, as Go writes it: `1`, `0.1`, `1e+06`, `NaN`, `+Inf`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    shortest = Decimal(repr(value)).normalize()
    if value and not -4 <= shortest.adjusted() < 6:
        mantissa, _, power = f"{shortest:e}".partition("e")
        return f"{mantissa}e{int(power):+03d}"
    return ("-" if math.copysign(1, value) < 0 else "") + f"{abs(shortest):f}"


def parse_decimal(text: str) -> Decimal:
    """A decimal of at most 50 digits."""
    if not _DECIMAL.fullmatch(text):
        raise _bad(text, "a decimal")
    try:
        return EXACT.create_decimal(text)
    except decimal.DecimalException:
        raise CelError(RANGE, f"{text!r} has more than 50 digits") from None


def format_decimal(value: Decimal) -> str:
    """Plain digits, with an exponent only when there would be more than 50 of them."""
    plain = -50 <= value.adjusted() <= 50 and isinstance(value.as_tuple().exponent, int)
    return f"{value:f}" if plain else str(value)


def parse_uuid(text: str) -> UUID:
    """The 36-character form."""
    if not _UUID.fullmatch(text):
        raise _bad(text, "a uuid")
    return UUID(text)


def parse_bool(text: str) -> bool:
    """The texts that CEL takes for a bool."""
    if text not in _BOOLS:
        raise _bad(text, "a bool")
    return _BOOLS[text]


def decode(value: bytes) -> str:
    """UTF-8 as a string."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise CelError(INVALID_ARGUMENT, "invalid UTF-8") from None


def _encode(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise CelError(INVALID_ARGUMENT, "a lone surrogate is not UTF-8") from None


def _same(value: Any) -> Any:
    return value


def _midnight(value: date) -> datetime:
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def _fine(kind: type, convert: Callable[[Any], Any]) -> _Table:
    """A conversion of a time, with nanoseconds or without."""
    return {kind: convert, **{fine: convert for fine, plain in PLAIN.items() if plain is kind}}


_TABLES: dict[str, _Table] = {
    "string": {
        str: _same,
        int: str,
        float: format_float,
        bool: lambda b: "true" if b else "false",
        bytes: decode,
        Decimal: format_decimal,
        UUID: str,
        date: date.isoformat,
        **_fine(datetime, instants.format_timestamp),
        **_fine(timedelta, instants.format_duration),
    },
    "int": {
        int: _same,
        float: _int_of_float,
        str: parse_int,
        Decimal: _int_of_decimal,
        **_fine(datetime, instants.to_epoch),
    },
    "double": {int: float, float: _same, str: parse_float, Decimal: float},
    "bool": {bool: _same, str: parse_bool},
    "bytes": {bytes: _same, str: _encode},
    "decimal": {Decimal: _same, int: Decimal, str: parse_decimal},
    "uuid": {UUID: _same, str: parse_uuid},
    "date": {
        date: _same,
        **_fine(datetime, lambda t: coarse(t).astimezone(UTC).date()),
        str: instants.parse_date,
    },
    "timestamp": {
        **_fine(datetime, _same),
        date: _midnight,
        int: instants.from_epoch,
        str: instants.parse_timestamp,
    },
    "duration": {**_fine(timedelta, _same), str: instants.parse_duration},
}


def _conversion(name: str, table: _Table) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        convert = table.get(type(value))
        if convert is None:
            raise no_overload(name, value)
        return convert(value)

    return run


#: Every conversion by its name.
CONVERSIONS = {name: _conversion(name, table) for name, table in _TABLES.items()}
