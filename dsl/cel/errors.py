"""What goes wrong while an expression is evaluated."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from dsl.fine import PLAIN
from dsl.values import Struct, TypeValue

OVERFLOW = "overflow"
RANGE = "range error"
DIVIDE_BY_ZERO = "divide by zero"
MODULUS_BY_ZERO = "modulus by zero"
NO_SUCH_KEY = "no such key"
NO_SUCH_FIELD = "no such field"
NO_SUCH_NAME = "no such name"
NO_SUCH_OVERLOAD = "no such overload"
INVALID_ARGUMENT = "invalid argument"


class CelError(Exception):
    """An expression has no value; `kind` is CEL's name for the reason, `detail` says more."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}" if self.detail else self.kind


_NAMES: dict[type, str] = {
    str: "string",
    int: "int",
    float: "float",
    bool: "bool",
    Decimal: "decimal",
    bytes: "bytes",
    UUID: "uuid",
    date: "date",
    datetime: "timestamp",
    timedelta: "duration",
    type(None): "null",
    list: "list",
    dict: "map",
    TypeValue: "type",
}


def type_name(value: Any) -> str:
    """The language's name for the type of a run-time value."""
    if isinstance(value, Struct):
        return value.type
    kind = type(value)
    return _NAMES.get(PLAIN.get(kind, kind), "any")


def shown(key: Any) -> str:
    """A map's key in an error."""
    return ("true" if key else "false") if isinstance(key, bool) else repr(key)


def no_overload(function: str, *values: Any) -> CelError:
    """No overload of `function` takes these values."""
    return CelError(NO_SUCH_OVERLOAD, f"{function}({', '.join(map(type_name, values))})")
