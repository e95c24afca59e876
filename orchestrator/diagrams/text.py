"""Text that fits: cleaned, cut, wrapped and measured."""

from __future__ import annotations

import textwrap
import unicodedata
from datetime import timedelta

from dsl.duration import written

# Helvetica's widths of U+0020 to U+007E, in thousandths of the size (Adobe's font metrics).
_WIDTHS = [
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
]

# Where neither Helvetica nor Arial is, a wider sans serif takes their place (DejaVu Sans).
_SPARE = 1.13


def clean(text: str) -> str:
    """One line that XML and DOT can hold: white space collapsed, control characters and those
    that turn the direction of writing taken out."""
    return " ".join("".join(c if _printable(c) else " " for c in text).split())


def _printable(character: str) -> bool:
    if character in "\ufffe\uffff":
        return False
    return character == "\u200d" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")


def cut(text: str, limit: int) -> str:
    """The text on one line of at most `limit` characters."""
    text = clean(text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def wrap(text: str, limit: int, lines: int) -> list[str]:
    """The text on at most `lines` lines of at most `limit` characters."""
    return textwrap.wrap(
        clean(text), limit, max_lines=lines, placeholder=" …", break_on_hyphens=False
    )


def width(text: str, size: float, bold: bool = False) -> float:
    """How wide a line is at most, in the unit of `size`."""
    thousandths = sum(_width(c) for c in text)
    return thousandths / 1000 * size * _SPARE * (1.07 if bold else 1)


def _width(character: str) -> int:
    if " " <= character <= "~":
        return _WIDTHS[ord(character) - 32]
    if unicodedata.combining(character):
        return 0
    return 1000 if unicodedata.east_asian_width(character) in "WF" else 620


def duration(seconds: float) -> str:
    """As the language writes it: `500ms`, `1m30s`, `7d`."""
    return written(timedelta(seconds=seconds))
