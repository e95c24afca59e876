"""Values, messages and times as a course shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from dsl.cel.instants import format_timestamp
from dsl.model import wire_type
from dsl.values import Struct
from orchestrator.testing.symbols import Symbol


def shown(value: Any) -> str:
    """A value, much as a flow writes it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Symbol():
            return str(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Struct():
            return f"{value.type.rpartition('.')[2]}({fields(value)})"
        case Mapping():
            return "{" + ", ".join(f"{shown(k)}: {shown(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(shown(v) for v in value) + "]"
        case timedelta():
            return elapsed(value.total_seconds())
        case datetime():
            return format_timestamp(value)
        case date():
            return value.isoformat()
    return str(value)


def fields(values: Mapping[str, Any], without: str = "") -> str:
    """`a: 1, b: "x"`; one field may be left out."""
    return ", ".join(f"{k}: {shown(v)}" for k, v in values.items() if k != without)


def message(payload: Struct, key: str = "") -> str:
    """`inventory.ReserveStock(lines: [])`; its key, which is the saga's, is left out."""
    return f"{wire_type(payload.type)}({fields(payload, key)})"


def elapsed(seconds: float) -> str:
    """A time as a flow writes it, `1d2h`, to the millisecond."""
    sign, left = ("-", -seconds) if seconds < 0 else ("", seconds)
    milliseconds = round(left * 1000)
    text = ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, milliseconds = divmod(milliseconds, size)
        text += f"{count}{unit}" if count else ""
    return sign + (text or "0s")
