"""What commands print: tables and sentences for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

#: Wider than any table: what is not for a terminal is for a program, and is not broken.
_UNBROKEN = 2000


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, default=_text)
    sys.stdout.write("\n")


def _text(value: Any) -> str:
    """What JSON does not know: a time in RFC 3339, in UTC as all of ours are, else its text."""
    if isinstance(value, datetime):
        at = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return at.isoformat().replace("+00:00", "Z")
    return str(value)


def console(stderr: bool = False) -> Console:
    """A rich console; without a terminal it writes plain text and breaks no line."""
    from rich.console import Console

    found = Console(stderr=stderr, highlight=False)
    if found.is_terminal:
        return found
    return Console(stderr=stderr, highlight=False, width=_UNBROKEN)


def line(out: Console, text: str, style: str | None = None) -> None:
    """One line, as it is: no markup in it, and unbroken in a narrow terminal too, so that what is
    copied from it is whole."""
    out.print(text, style=style, markup=False, soft_wrap=True)
