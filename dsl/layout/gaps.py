"""What stands between the words of a text: comments, new lines, empty lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from dsl.layout.page import Remark, Remarks
from dsl.lexer import Token

_COMMENT = re.compile(r"//[^\n]*")


class Gap:
    """Between two words: the comment beside the first, those above the second, whether a line ends
    between them, and whether an empty line stands before the first thing that begins one."""

    __slots__ = ("above", "beside", "blank", "newline")

    def __init__(self, between: str, first: bool) -> None:
        comments: list[tuple[bool, str]] = []
        beside, place, newline = "", 0, False
        for match in _COMMENT.finditer(between):
            newlines = between.count("\n", place, match.start())
            newline = newline or newlines > 0
            place = match.end()
            text = match[0].rstrip()
            if newlines or comments or first or beside:
                comments.append((newlines > 1, text))
            else:
                beside = text
        newlines = between.count("\n", place)
        apart = newlines > 1
        self.newline = newline or newlines > 0
        self.beside = Remark(beside) if beside else None
        self.above = Remarks(comments, apart) if comments else None
        self.blank = comments[0][0] if comments else apart


class Gaps:
    """The gaps of a text that hold more than blanks, by where the word after them begins."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        #: Before a word.
        self.before: dict[int, Gap] = {}
        #: After a word, by where that one begins.
        self.after: dict[int, Gap] = {}
        #: Where the words begin that a comment stands before, in order.
        self._commented: list[int] = []
        end, last = 0, -1
        for token in tokens:
            start = token.start
            if start > end + 1 or (start > end and text[end] == "\n"):
                between = text[end:start]
                if "\n" in between or "/" in between:
                    gap = self.before[start] = Gap(between, last < 0)
                    if last >= 0:
                        self.after[last] = gap
                    if gap.beside or gap.above:
                        self._commented.append(start)
            end, last = token.end, start

    def commented(self, first: int, last: int) -> bool:
        """Whether a comment stands between two words, given by where they begin."""
        found = self._commented
        return bool(found) and bisect_right(found, first) < bisect_right(found, last)

    def newline(self, start: int) -> bool:
        """Whether a line ends before the word that begins there."""
        gap = self.before.get(start)
        return gap is not None and gap.newline

    def blank(self, start: int) -> bool:
        """Whether an empty line stands before that word and the comments above it."""
        gap = self.before.get(start)
        return gap is not None and gap.blank
