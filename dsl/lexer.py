"""Text to tokens, by the terminals of the grammar."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dsl.table import Terminal

#: Kinds of tokens that no grammar knows: a string without an end, what begins like a number and
#: is none, any other character, and the end of the text.
UNCLOSED, MALFORMED, STRAY, END = "unclosed", "malformed", "stray", "$END"


class Token:
    """One word or sign: its terminal's name, its text, and where it stands."""

    __slots__ = ("end", "start", "text", "type")

    def __init__(self, type: str, text: str, start: int, end: int) -> None:
        self.type = type
        self.text = text
        self.start = start
        self.end = end

    def __repr__(self) -> str:
        return f"{self.type}({self.text!r})"


class Lexer:
    """Splits texts. A word has its keyword's type; the parser takes it for a name where no such
    keyword can stand."""

    def __init__(self, terminals: Iterable[Terminal], ignored: Iterable[str]) -> None:
        ignored = set(ignored)
        known = list(terminals)
        fixed = {t.name: t.fixed for t in known if t.fixed}
        #: Terminals by the words they stand for.
        self.words = {text: name for name, text in fixed.items() if text.isidentifier()}
        signs = [t for t in known if fixed.get(t.name) not in self.words and t.name not in ignored]
        signs.sort(key=lambda t: (-t.priority, -t.width, -t.length))
        blank = "|".join(t.pattern for t in known if t.name in ignored)
        tokens = "|".join(f"(?P<{t.name}>{t.pattern})" for t in signs)
        # Possessive: what was skipped is never given back, so a failure costs nothing more.
        self._pattern = re.compile(rf"(?:{blank})*+(?:{tokens}|(?P<{STRAY}>[\s\S])|\Z)")

    def tokens(self, text: str) -> list[Token]:
        """All tokens, the end included."""
        found: list[Token] = []
        place: int | None = 0
        while place is not None:
            place = self._until_stray(text, place, found)
        found.append(Token(END, "", len(text), len(text)))
        return found

    def _until_stray(self, text: str, place: int, found: list[Token]) -> int | None:
        """Adds tokens up to one that is none and that one; gives the place after it."""
        words, add = self.words, found.append
        for match in self._pattern.finditer(text, place):
            kind = match.lastgroup
            if kind is None:
                return None
            start, end = match.span(kind)
            piece = text[start:end]
            if kind == "NAME":
                kind = words.get(piece, kind)
            elif kind == STRAY:
                token = _stray(text, start)
                add(token)
                return token.end
            add(Token(kind, piece, start, end))
        return None


def _stray(text: str, start: int) -> Token:
    character = text[start]
    if character in "\"'":
        line_end = text.find("\n", start)
        line = text[start : line_end if line_end >= 0 else len(text)]
        if line.startswith(character * 3):
            return Token(UNCLOSED, text[start:], start, len(text))
        # Brackets at the end of the line are likely meant to close something else.
        kept = line.rstrip(" \t\r)]},;") or character
        return Token(UNCLOSED, kept, start, start + len(kept))
    if character.isdigit():
        end = start
        while end < len(text) and (text[end].isalnum() or text[end] in "._"):
            end += 1
        return Token(MALFORMED, text[start:end], start, end)
    return Token(STRAY, character, start, start + 1)
