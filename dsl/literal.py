"""Reads the text of a literal, by CEL's rules; durations and percentages are ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from math import isinf
from typing import Any

from dsl.fine import duration_of

INT_MIN, INT_MAX = -(2**63), 2**63 - 1

_UNITS = {
    "ns": Decimal(1),
    "us": Decimal(10**3),
    "ms": Decimal(10**6),
    "s": Decimal(10**9),
    "m": Decimal(60 * 10**9),
    "h": Decimal(3600 * 10**9),
    "d": Decimal(86400 * 10**9),
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|ms|s|m|h|d)")
#: More digits than any value that fits has; Python itself refuses to read 4,300 of them.
_MOST_DIGITS = 400

_SIMPLE = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "?": "?", '"': '"', "'": "'", "`": "`",
}  # fmt: skip
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})"
    r"|([0-3][0-7]{2})|([\s\S]))"
)


def read_int(text: str) -> int:
    """A decimal or hexadecimal integer. The sign is read apart, so 2**63 passes here and is
    refused by the checker unless a minus stands before it. Raises ValueError."""
    if len(text) <= _MOST_DIGITS:
        value = int(text, 16) if text[:2].lower() == "0x" else int(text)
        if value <= INT_MAX + 1:
            return value
    raise ValueError(f"`{_short(text)}` does not fit in 64 bits")


def read_float(text: str) -> float:
    """A double. Raises ValueError for one that is too large."""
    value = float(text)
    if isinf(value):
        raise ValueError(f"`{_short(text)}` does not fit in a 64-bit float")
    return value


def read_duration(text: str) -> timedelta:
    """`1m30s`, `1.5h`, `500ms`, `7d`, to the nanosecond. Raises ValueError when too long."""
    if len(text) <= _MOST_DIGITS:
        nanos = sum((Decimal(n) * _UNITS[u] for n, u in _PART.findall(text)), Decimal(0))
        with suppress(OverflowError):
            return duration_of(int(nanos))
    raise ValueError(f"`{_short(text)}` is too long for a duration")


def read_percent(text: str) -> Decimal:
    """`20%` is 0.2."""
    return Decimal(text[:-1]) / 100


def read_string(text: str) -> str:
    """The characters that a string literal stands for. Raises ValueError on a bad escape."""
    raw, body = _body(text)
    return body if raw else _ESCAPE.sub(_character, body)


def read_bytes(text: str) -> bytes:
    """The bytes that a bytes literal stands for; `\\x` and octal escapes are bytes, other
    characters their UTF-8. Raises ValueError on a bad escape."""
    raw, body = _body(text.replace("b", "", 1) if "b" in text[:2] else text.replace("B", "", 1))
    if raw:
        return body.encode()
    out, last = bytearray(), 0
    for match in _ESCAPE.finditer(body):
        out += body[last : match.start()].encode()
        byte = match[1] or match[2]
        if byte:
            out.append(int(byte, 16))
        elif match[5]:
            out.append(int(match[5], 8))
        elif match[3] or match[4]:
            raise ValueError(f"`{match[0]}` is no escape of bytes")
        else:
            out += _character(match).encode()
        last = match.end()
    return bytes(out + body[last:].encode())


def help_for(read: Callable[[str], Any]) -> str:
    """What to write instead of a text that one of the readers refuses."""
    return _HELP[read]


_HELP: dict[Callable[[str], Any], str] = {
    read_int: f"write a number of at most {INT_MAX}",
    read_float: "write a smaller number",
    read_duration: "write a shorter time",
    read_percent: "write a smaller share",
    read_string: 'write `\\\\` for a backslash, or `r"…"` for a string without escapes',
    read_bytes: "write `\\\\` for a backslash, or `\\x41` for a byte",
}


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def _body(text: str) -> tuple[bool, str]:
    raw = text[0] in "rR"
    text = text[1:] if raw else text
    quotes = 3 if text[:3] in ('"""', "'''") else 1
    return raw, text[quotes:-quotes]


def _character(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3] or match[4]
    if code:
        value = int(code, 16)
        if value > 0x10FFFF or 0xD800 <= value <= 0xDFFF:
            raise ValueError(f"`{match[0]}` is no Unicode character")
        return chr(value)
    if match[5]:
        return chr(int(match[5], 8))
    try:
        return _SIMPLE[match[6]]
    except KeyError:
        raise ValueError(f"`{match[0]}` is no escape") from None
