"""Every function and operator by the name that a `Call` node has for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

from dsl.cel import arithmetic, comparison
from dsl.cel.conversions import CONVERSIONS
from dsl.cel.errors import (
    INVALID_ARGUMENT,
    NO_SUCH_OVERLOAD,
    CelError,
    no_overload,
    type_name,
)
from dsl.cel.instants import INSTANT_PARTS, accessor
from dsl.cel.patterns import search
from dsl.fine import FineDuration
from dsl.values import Struct, TypeValue


def _size(value: Any) -> int:
    if type(value) in (str, bytes, list) or (
        isinstance(value, dict) and not isinstance(value, Struct)
    ):
        return len(value)
    raise no_overload("size", value)


def _of_strings(name: str, run: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def checked(text: Any, other: Any) -> bool:
        if type(text) is str and type(other) is str:
            return run(text, other)
        raise no_overload(name, text, other)

    return checked


def _not(value: Any) -> bool:
    if value is True:
        return False
    if value is False:
        return True
    raise no_overload("!_", value)


def _sum(items: Any, zero: Any) -> Any:
    """The sum of a list; `zero` is that of an empty one, which knows no type at run time."""
    if type(items) is not list:
        raise no_overload("sum", items)
    if not items:
        return zero
    if type(items[0]) not in (int, float, Decimal, timedelta, FineDuration):
        raise no_overload("sum", items[0])
    return reduce(arithmetic.add, items)


def _best(name: str, better: Callable[[Any, Any], bool]) -> Callable[[Any], Any]:
    def run(items: Any) -> Any:
        if type(items) is not list:
            raise no_overload(name, items)
        if not items:
            raise CelError(INVALID_ARGUMENT, f"{name} of an empty list")
        best = items[0]
        better(best, best)  # a value without an order is refused even alone
        for item in items[1:]:
            if better(item, best):
                best = item
        return best

    return run


def _unknown(name: str, *_: Any) -> Any:
    raise CelError(NO_SUCH_OVERLOAD, f"no function `{name}`")


#: Stands for a function that there is not, in an expression that was not checked; its first
#: argument is the name.
UNKNOWN = "$unknown"

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "_+_": arithmetic.add,
    "_-_": arithmetic.subtract,
    "_*_": arithmetic.multiply,
    "_/_": arithmetic.divide,
    "_%_": arithmetic.modulo,
    "-_": arithmetic.negate,
    "!_": _not,
    "_==_": comparison.equals,
    "_!=_": comparison.not_equals,
    "_<_": comparison.less,
    "_<=_": comparison.less_or_equal,
    "_>_": comparison.greater,
    "_>=_": comparison.greater_or_equal,
    "@in": comparison.contains,
    "_[_]": comparison.index,
    UNKNOWN: _unknown,
    "dyn": lambda value: value,
    "type": lambda value: TypeValue(type_name(value)),
    "size": _size,
    "startsWith": _of_strings("startsWith", str.startswith),
    "endsWith": _of_strings("endsWith", str.endswith),
    "contains": _of_strings("contains", str.__contains__),
    "matches": _of_strings("matches", search),
    "sum": _sum,
    "min": _best("min", comparison.less),
    "max": _best("max", comparison.greater),
    **CONVERSIONS,
    **{name: accessor(name) for name in INSTANT_PARTS},
}
