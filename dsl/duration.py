"""Times as people read and write them."""

from __future__ import annotations

from datetime import timedelta

from dsl.fine import nanoseconds

#: The units of a duration that are longer than a second, in seconds.
_LONG = (("d", 86_400), ("h", 3600), ("m", 60))
#: The others, in nanoseconds.
_SHORT = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1000, "ns": 1}


def said(time: timedelta) -> str:
    """A time in the two largest units that it needs, `1h 30m`."""
    left, parts = time / timedelta(seconds=1), []
    for unit, size in _LONG:
        if left >= size:
            parts.append(f"{left // size:.0f}{unit}")
            left %= size
    if (left and len(parts) < 2) or not parts:
        parts.append(f"{left:.4g}s")
    return " ".join(parts[:2])


def written(time: timedelta) -> str:
    """A time exactly, as the language writes it: `1d`, `1m30s`, `1.5s`, `250ms`."""
    nanos = nanoseconds(time)
    sign, left = ("-", -nanos) if nanos < 0 else ("", nanos)
    text = ""
    for unit, size in _LONG:
        count, left = divmod(left, size * _SHORT["s"])
        text += f"{count}{unit}" if count else ""
    for unit, size in _SHORT.items():
        if left >= size:
            whole, part = divmod(left, size)
            digits = f".{part:0{len(str(size)) - 1}}".rstrip("0") if part else ""
            return f"{sign}{text}{whole}{digits}{unit}"
    return sign + (text or "0s")
