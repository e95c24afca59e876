"""Offsets of a text to the protocol's lines and columns, and back."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache

from lsprotocol import types

from dsl.source import Source, Span

_END_OF_LINE = re.compile(r"\r\n|\n|\r")


class Positions:
    """The lines of a text. Columns count what the client counts: UTF-16 units unless it was
    agreed otherwise. A place that the text has not is taken for the nearest one that it has."""

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self._text = text
        self._encoding = encoding
        self._starts = [0, *(m.end() for m in _END_OF_LINE.finditer(text))]
        self._plain = text.isascii() or encoding == types.PositionEncodingKind.Utf32

    def position(self, offset: int) -> types.Position:
        """The line and column of an offset."""
        line = bisect_right(self._starts, offset) - 1
        start = self._starts[line]
        if self._plain:
            return types.Position(line, offset - start)
        return types.Position(line, self._units(self._text[start:offset]))

    def offset(self, position: types.Position) -> int:
        """The offset of a line and column; inside of a character, its beginning."""
        if position.line >= len(self._starts):
            return len(self._text)
        start = self._starts[max(position.line, 0)]
        line = self._line(max(position.line, 0))
        if self._plain:
            return start + min(max(position.character, 0), len(line))
        left = position.character
        for n, character in enumerate(line):
            left -= self._units(character)
            if left < 0:
                return start + n
        return start + len(line)

    def range(self, at: Span) -> types.Range:
        """The range of a span."""
        return types.Range(self.position(at.start), self.position(at.end))

    def whole(self) -> types.Range:
        """The range of the whole text."""
        return types.Range(types.Position(0, 0), self.position(len(self._text)))

    def _line(self, number: int) -> str:
        after = number + 1
        end = self._starts[after] if after < len(self._starts) else len(self._text)
        return self._text[self._starts[number] : end].rstrip("\r\n")

    def _units(self, text: str) -> int:
        if self._encoding == types.PositionEncodingKind.Utf8:
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text) + sum(c > "\uffff" for c in text)


@lru_cache(maxsize=64)
def positions_of(source: Source, encoding: str) -> Positions:
    """The lines of a source, made once."""
    return Positions(source.text, encoding)


def changed(text: str, changes: list[types.TextDocumentContentChangeEvent], encoding: str) -> str:
    """A text after an editor's changes, one after the other."""
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            places = Positions(text, encoding)
            start, end = places.offset(change.range.start), places.offset(change.range.end)
            text = text[:start] + change.text + text[max(start, end) :]
        else:
            text = change.text
    return text
