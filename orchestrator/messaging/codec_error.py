"""What goes wrong between values and their wire form."""

from __future__ import annotations

import json
from typing import Any, Self

#: Characters of a wrong value that a message shows.
SHOWN = 60


class CodecError(Exception):
    """A value does not fit its type. `path` leads to it from the message (`lines[0].quantity`),
    `problem` is the sentence's end (`must be an int, not "two"`)."""

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(problem, path)
        self.problem = problem
        self.path = path

    def under(self, step: str) -> Self:
        """The same error seen from one level further out; `step` is `name` or `[0]`."""
        joint = "" if not self.path or self.path.startswith("[") else "."
        self.path = f"{step}{joint}{self.path}"
        return self

    def __str__(self) -> str:
        return f"`{self.path}` {self.problem}" if self.path else f"the message {self.problem}"


class DecodeError(CodecError):
    """What came over the wire does not fit its type."""


class EncodeError(CodecError):
    """A value that is to be sent does not fit its type."""


def shown(value: Any) -> str:
    """A value as an error shows it: as JSON where it has one, cut when long."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
