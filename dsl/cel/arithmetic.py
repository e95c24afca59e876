"""`+ - * / %` and negation, by the types that the operands have at run time."""

from __future__ import annotations

import decimal
import math
import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from dsl.cel.errors import (
    DIVIDE_BY_ZERO,
    MODULUS_BY_ZERO,
    OVERFLOW,
    RANGE,
    CelError,
    no_overload,
)
from dsl.fine import PLAIN, FineDuration, duration_of, nanoseconds, timestamp_of

INT_MIN, INT_MAX = -(2**63), 2**63 - 1

#: About ten thousand years, the range of protobuf's Duration.
LONGEST = timedelta(seconds=315_576_000_000)

#: How far two timestamps may lie apart to be subtracted: 64 bits of nanoseconds, CEL's rule.
FARTHEST = 2**63

#: Decimals carry at most this many significant digits.
DECIMAL_DIGITS = 50

_LIMITS: dict[str, Any] = {
    "prec": DECIMAL_DIGITS,
    "rounding": decimal.ROUND_HALF_EVEN,
    "Emin": -6143,
    "Emax": 6144,
}
_SIGNALS = [decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow]

#: Sums, differences and products are exact: a digit lost is an error, never a rounding.
EXACT = decimal.Context(**_LIMITS, traps=[*_SIGNALS, decimal.Inexact])
#: A quotient is rounded half-even to `DECIMAL_DIGITS`.
ROUNDED = decimal.Context(**_LIMITS, traps=_SIGNALS)

Binary = Callable[[Any, Any], Any]
_Table = dict[tuple[type, type], Binary]


def int64(value: int) -> int:
    """The value itself. Raises `CelError` when it does not fit 64 bits."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise CelError(OVERFLOW, f"{value} does not fit a 64-bit int")


def add(a: Any, b: Any) -> Any:
    """`a + b`."""
    if type(a) is int and type(b) is int:
        return int64(a + b)
    return _apply(_ADD, "_+_", a, b)


def subtract(a: Any, b: Any) -> Any:
    """`a - b`."""
    if type(a) is int and type(b) is int:
        return int64(a - b)
    return _apply(_SUBTRACT, "_-_", a, b)


def multiply(a: Any, b: Any) -> Any:
    """`a * b`."""
    if type(a) is int and type(b) is int:
        return int64(a * b)
    return _apply(_MULTIPLY, "_*_", a, b)


def divide(a: Any, b: Any) -> Any:
    """`a / b`; toward zero for ints, as floats divide for floats."""
    return _apply(_DIVIDE, "_/_", a, b)


def modulo(a: Any, b: Any) -> Any:
    """`a % b` for ints; the sign is the dividend's."""
    if type(a) is not int or type(b) is not int:
        raise no_overload("_%_", a, b)
    if b == 0:
        raise CelError(MODULUS_BY_ZERO)
    return a - b * _divide_ints(a, b)


def negate(a: Any) -> Any:
    """`-a`; a duration too."""
    if type(a) is int:
        return int64(-a)
    if type(a) in (float, timedelta):
        return -a
    if type(a) is FineDuration:
        return duration_of(-nanoseconds(a))
    if type(a) is Decimal:
        return EXACT.minus(a)
    raise no_overload("-_", a)


def duration(value: timedelta) -> timedelta:
    """The value itself. Raises `CelError` when it is longer than `LONGEST`."""
    if -LONGEST <= value <= LONGEST:
        return value
    raise CelError(RANGE, "a duration lies within ten thousand years")


def _apply(table: _Table, name: str, a: Any, b: Any) -> Any:
    operation = table.get((type(a), type(b)))
    if operation is None:
        raise no_overload(name, a, b)
    return operation(a, b)


def _divide_ints(a: int, b: int) -> int:
    if b == 0:
        raise CelError(DIVIDE_BY_ZERO)
    quotient = a // b
    return int64(quotient + 1 if quotient < 0 and quotient * b != a else quotient)


def _divide_floats(a: float, b: float) -> float:
    if b:
        return a / b
    if a == 0 or math.isnan(a) or math.isnan(b):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _divide_decimals(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise CelError(DIVIDE_BY_ZERO)
    try:
        return ROUNDED.divide(a, b)
    except decimal.DecimalException:
        raise CelError(OVERFLOW, "a decimal's exponent is out of range") from None


def _exact(operation: Callable[[Decimal, Decimal], Decimal]) -> Binary:
    def run(a: Decimal, b: Decimal) -> Decimal:
        try:
            return operation(a, b)
        except decimal.DecimalException:
            detail = f"the exact result needs more than {DECIMAL_DIGITS} digits"
            raise CelError(OVERFLOW, detail) from None

    return run


def _shift(plain: Binary, sign: int) -> Binary:
    def run(a: Any, b: Any) -> Any:
        try:
            if type(a) in PLAIN or type(b) in PLAIN:
                return timestamp_of(nanoseconds(a) + sign * nanoseconds(b))
            return plain(a, b)
        except OverflowError:
            raise CelError(RANGE, "a timestamp lies in the years 1 to 9999") from None

    return run


def _between(a: datetime, b: datetime) -> timedelta:
    nanos = nanoseconds(a) - nanoseconds(b)
    if -FARTHEST <= nanos < FARTHEST:
        return duration_of(nanos)
    raise CelError(RANGE, "the timestamps lie more than 292 years apart")


def _length(plain: Binary, sign: int) -> Binary:
    def run(a: timedelta, b: timedelta) -> timedelta:
        if type(a) in PLAIN or type(b) in PLAIN:
            return duration(duration_of(nanoseconds(a) + sign * nanoseconds(b)))
        return duration(plain(a, b))

    return run


def _of_times(a: type, b: type, operation: Binary) -> _Table:
    """An operation for two types, and for those that hold nanoseconds."""
    kinds = {plain: (plain, fine) for fine, plain in PLAIN.items()}
    return {(x, y): operation for x in kinds[a] for y in kinds[b]}


_ADD: _Table = {
    (float, float): operator.add,
    (str, str): operator.add,
    (bytes, bytes): operator.add,
    (list, list): operator.add,
    (Decimal, Decimal): _exact(EXACT.add),
    **_of_times(datetime, timedelta, _shift(operator.add, 1)),
    **_of_times(timedelta, datetime, _shift(operator.add, 1)),
    **_of_times(timedelta, timedelta, _length(operator.add, 1)),
}
_SUBTRACT: _Table = {
    (float, float): operator.sub,
    (Decimal, Decimal): _exact(EXACT.subtract),
    **_of_times(datetime, timedelta, _shift(operator.sub, -1)),
    **_of_times(datetime, datetime, _between),
    **_of_times(timedelta, timedelta, _length(operator.sub, -1)),
}
_MULTIPLY: _Table = {
    (float, float): operator.mul,
    (Decimal, Decimal): _exact(EXACT.multiply),
}
_DIVIDE: _Table = {
    (int, int): _divide_ints,
    (float, float): _divide_floats,
    (Decimal, Decimal): _divide_decimals,
}
