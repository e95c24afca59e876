"""Times as people read them."""

from __future__ import annotations

from datetime import timedelta


def said(time: timedelta) -> str:
    """A time in the two largest units that it needs, `1h 30m`."""
    left, parts = time / timedelta(seconds=1), []
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if left >= size:
            parts.append(f"{left // size:.0f}{unit}")
            left %= size
    if (left and len(parts) < 2) or not parts:
        parts.append(f"{left:.4g}s")
    return " ".join(parts[:2])
