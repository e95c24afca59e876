"""A source file, and spans of its text."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import msgspec


class Source(msgspec.Struct, frozen=True, dict=True):
    """One `.flow` file: `path` as the user wrote it, and its whole text."""

    path: str
    text: str

    @classmethod
    def read(cls, path: Path, shown_as: str | None = None) -> Source:
        """Reads a UTF-8 file (a byte-order mark is dropped).

        Raises OSError when it cannot be read and UnicodeDecodeError when it is not UTF-8.
        """
        return cls(shown_as or str(path), path.read_bytes().decode("utf-8-sig"))

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(i + 1 for i, c in enumerate(self.text) if c == "\n")]

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column (in characters) of an offset."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a 1-based line, without its line ending."""
        start = self._line_starts[number - 1]
        end = self._line_starts[number] if number < len(self._line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


class Span(NamedTuple):
    """A half-open range of characters `[start, end)` in a source."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters the span covers."""
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of the other."""
        return Span(self.source, self.start, other.end)

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.path}:{line}:{column}"

    def __repr__(self) -> str:
        return f"<{self}>"
