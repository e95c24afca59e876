"""`== < <= > >= in` and look-ups in lists and maps; numbers compare across their types."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from dsl.cel.errors import INVALID_ARGUMENT, NO_SUCH_KEY, CelError, no_overload, shown
from dsl.fine import PLAIN, FineDuration, FineTimestamp
from dsl.values import Struct, TypeValue

_TIMES = (datetime, timedelta, FineTimestamp, FineDuration)
_ORDERED = frozenset({int, float, str, bool, bytes, Decimal, date, *_TIMES})
_NUMBERS = frozenset({int, float, Decimal})
_INT_AND_FLOAT = {int, float}
#: Where Python's `==` between two values of one type is CEL's.
_PLAIN = frozenset({*_ORDERED, UUID, TypeValue, type(None)})
#: What equals nothing of another type in Python either, so that Python's `in` is CEL's.
_DISTINCT = frozenset({str, bytes, UUID, date, *_TIMES, type(None)})
_MISSING = object()


def equals(a: Any, b: Any) -> bool:
    """`a == b`: total, deep, and false between values of unlike types."""
    kind, other = type(a), type(b)
    if kind is other and kind in _PLAIN:
        return bool(a == b)
    if kind in _NUMBERS and other in _NUMBERS:
        a, b = _alike(a, b)
        return bool(a == b)
    if kind is list:
        return other is list and len(a) == len(b) and all(map(equals, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and _equal_maps(a, b)
    return False


def _alike(a: Any, b: Any) -> tuple[Any, Any]:
    """An int beside a float as a float, which is how CEL compares them; exact to 2**53."""
    return (float(a), float(b)) if {type(a), type(b)} == _INT_AND_FLOAT else (a, b)


def not_equals(a: Any, b: Any) -> bool:
    """`a != b`."""
    return not equals(a, b)


def _equal_maps(a: dict[Any, Any], b: dict[Any, Any]) -> bool:
    if len(a) != len(b):
        return False
    for key, value in a.items():
        found = find(b, key)
        if found is _MISSING or not equals(value, found):
            return False
    return True


def _ordering(name: str, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def run(a: Any, b: Any) -> bool:
        kind, other = type(a), type(b)
        if kind is other and kind in _ORDERED:
            return compare(a, b)
        if kind in _NUMBERS and other in _NUMBERS:
            a, b = _alike(a, b)
            return a == a and b == b and compare(a, b)  # Decimal refuses to order a NaN
        if (PLAIN.get(kind, kind) is PLAIN.get(other, other)) and kind in _TIMES:
            return compare(a, b)
        raise no_overload(name, a, b)

    return run


less = _ordering("_<_", operator.lt)
less_or_equal = _ordering("_<=_", operator.le)
greater = _ordering("_>_", operator.gt)
greater_or_equal = _ordering("_>=_", operator.ge)


def find(entries: dict[Any, Any], key: Any) -> Any:
    """The value at a key or a private marker; `true` and `1` are different keys."""
    if type(key) in _NUMBERS or type(key) is bool:
        if key not in (0, 1):
            return entries.get(key, _MISSING)
        same = (v for k, v in entries.items() if equals(k, key))
        return next(same, _MISSING)
    return entries.get(key, _MISSING) if type(key) is str else _MISSING


def has_key(entries: dict[Any, Any], key: Any) -> bool:
    """Whether a map has a key."""
    return find(entries, key) is not _MISSING


def contains(item: Any, container: Any) -> bool:
    """`item in container`: an element of a list, a key of a map."""
    if type(container) is list:
        if type(item) in _DISTINCT:
            return item in container
        return any(equals(item, other) for other in container)
    if type(container) is dict:
        return has_key(container, item)
    raise no_overload("@in", item, container)


def index(container: Any, key: Any) -> Any:
    """`container[key]`."""
    if type(container) is list and type(key) in _NUMBERS:
        return _at(container, key)
    if type(container) is not dict:
        raise no_overload("_[_]", container, key)
    found = find(container, key)
    if found is _MISSING:
        raise CelError(NO_SUCH_KEY, shown(key))
    return found


def _at(items: list[Any], position: Any) -> Any:
    if 0 <= position < len(items) and position == int(position):
        return items[int(position)]
    raise CelError(INVALID_ARGUMENT, f"index {position} of a list of {len(items)}")


def elements(container: Any) -> list[Any]:
    """What a macro runs over: a list's items, a map's keys."""
    if type(container) is list:
        return container
    if isinstance(container, dict) and not isinstance(container, Struct):
        return list(container)
    raise no_overload("macro", container)
