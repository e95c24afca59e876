"""The names in a file, each with the declaration that it stands for."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from dsl.editor.declared import Declared
from dsl.source import Span


class Occurrence(NamedTuple):
    """A name at a place; `declares` where it is the declaration itself."""

    at: Span
    target: Declared
    declares: bool = False


class Index:
    """The occurrences of a file, in the order of the text."""

    def __init__(self, occurrences: list[Occurrence]) -> None:
        self.all = sorted(occurrences, key=lambda o: (o.at.start, o.at.end))
        self._starts = [o.at.start for o in self.all]

    def at(self, offset: int) -> Occurrence | None:
        """The name that a place is in, or right behind."""
        place = bisect_right(self._starts, offset) - 1
        if place >= 0 and self.all[place].at.end >= offset:
            return self.all[place]
        # Right behind a name, and right before the next one.
        before = self.all[place - 1] if place > 0 else None
        return before if before and before.at.end >= offset else None

    def of(self, target: Declared) -> list[Occurrence]:
        """Everything that stands for a declaration."""
        return [o for o in self.all if o.target.key == target.key]
