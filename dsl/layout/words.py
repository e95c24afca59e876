"""The words of a text with the comments around them, and the blanks between two."""

from __future__ import annotations

from dsl.layout.gaps import Gaps
from dsl.layout.page import Doc, Remarks
from dsl.layout.piece import Child, Piece
from dsl.lexer import Token

#: No blank stands before these, and none after those.
_CLOSE_UP = frozenset(("COMMA", "COLON", "DOT", "RPAR", "RSQB"))
_BRACKETS = frozenset(("LPAR", "LSQB"))
_NO_BLANK_AFTER = frozenset(("DOT", "LPAR", "LSQB", "AT_SIGN"))


class Words:
    """The words of one text."""

    def __init__(self, gaps: Gaps) -> None:
        self.gaps = gaps

    def doc(self, token: Token) -> Doc:
        """A word with the comments above and beside it."""
        before, after = self.gaps.before.get(token.start), self.gaps.after.get(token.start)
        above = before.above if before else None
        beside = after.beside if after else None
        if above is None and beside is None:
            return token.text
        return [part for part in (above, token.text, beside) if part is not None]

    def bare(self, token: Token) -> bool:
        """Whether a word has no comments around it."""
        return isinstance(self.doc(token), str)

    def closing(self, token: Token) -> tuple[Remarks | None, Doc]:
        """The comments above a closing bracket, which stand inside, and the bracket itself."""
        before, after = self.gaps.before.get(token.start), self.gaps.after.get(token.start)
        above = Remarks(before.above.comments) if before and before.above else None
        return above, [token.text, after.beside] if after and after.beside else token.text

    def child(self, child: Child) -> Doc:
        """A word or a piece."""
        return child.doc() if isinstance(child, Piece) else self.doc(child)

    def commented(self, first: Token, last: Token) -> bool:
        """Whether a comment stands between two words."""
        return self.gaps.commented(first.start, last.start)


def blank(before: Child | None, after: Child) -> str:
    """What stands between two that follow each other on a line."""
    if before is None:
        return ""
    if isinstance(after, Piece):
        if after.opened == "COLON" or (after.opened in _BRACKETS and isinstance(before, Piece)):
            return ""
    elif after.type in _CLOSE_UP:
        return ""
    return "" if isinstance(before, Token) and before.type in _NO_BLANK_AFTER else " "
