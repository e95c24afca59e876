"""Where in a text the cursor is: read off the tokens before it, so that any text will do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dsl.editor.tokens import is_word
from dsl.lexer import UNCLOSED, Token


class Place(NamedTuple):
    """The tokens before the word at the cursor, and where that word begins (at the cursor when
    there is none)."""

    left: list[Token]
    start: int

    @property
    def last(self) -> str:
        """The text of the token before the word."""
        return self.left[-1].text if self.left else ""

    def before(self, back: int) -> str:
        """The text of the token so many further back; 1 is the one before the last."""
        return self.left[-1 - back].text if back < len(self.left) else ""


def place_at(text: str, tokens: Sequence[Token], offset: int) -> Place | None:
    """The place of a cursor; None inside of a comment, a string or a number."""
    left = [t for t in tokens if t.start < offset]
    if not left:
        line = text[text.rfind("\n", 0, offset) + 1 : offset]
        return None if "//" in line else Place([], offset)
    last = left[-1]
    if last.end < offset:
        # What is between is blank, or a comment.
        between = text[last.end : offset]
        return None if "//" in between[between.rfind("\n") + 1 :] else Place(left, offset)
    if is_word(last):
        return Place(left[:-1], last.start)
    literal = last.end > offset or last.type in ("INT", "FLOAT", "DURATION", UNCLOSED)
    return None if literal else Place(left, offset)


def path_before(left: Sequence[Token], end: int) -> list[Token]:
    """The words of `a.b.c` that end right before an index."""
    words: list[Token] = []
    while end > 0 and is_word(left[end - 1]):
        words.append(left[end - 1])
        if end < 2 or left[end - 2].text != ".":
            break
        end -= 2
    return words[::-1]


def receiver(left: Sequence[Token]) -> tuple[int, int] | None:
    """The part of the text before the last dot that is its receiver: `a.b(c)[d]`."""
    end = len(left) - 1
    start = end
    while start > 0:
        token = left[start - 1]
        if token.text in (")", "]"):
            start = _opening(left, start - 1)
            if start < 0:
                return None
            if start > 0 and (is_word(left[start - 1]) or left[start - 1].text in (")", "]")):
                continue
        elif is_word(token) or token.type in ("STRING", "BYTES"):
            start -= 1
        else:
            break
        if start > 0 and left[start - 1].text == ".":
            start -= 1
            continue
        break
    return (left[start].start, left[end - 1].end) if start < end else None


def _opening(left: Sequence[Token], closing: int) -> int:
    depth = 0
    for n in range(closing, -1, -1):
        if left[n].text in (")", "]", "}"):
            depth += 1
        elif left[n].text in ("(", "[", "{"):
            depth -= 1
            if depth == 0:
                return n
    return -1


class OpenCall(NamedTuple):
    """A call whose arguments the cursor is among: its callee, the names that are given already,
    and the name of the argument that the cursor is in the value of."""

    callee: list[Token]
    given: set[str]
    argument: str | None


def open_call(left: Sequence[Token]) -> OpenCall | None:
    """The innermost call that is not closed before the cursor."""
    depth, given, argument = 0, set[str](), None
    for n in range(len(left) - 1, -1, -1):
        text = left[n].text
        if text in (")", "]", "}"):
            depth += 1
        elif text in ("(", "[", "{"):
            if depth == 0:
                callee = path_before(left, n) if text == "(" else []
                return OpenCall(callee, given, argument) if callee else None
            depth -= 1
        elif depth == 0 and text == ":" and n > 0 and is_word(left[n - 1]):
            named = n > 1 and left[n - 2].text in ("(", ",")
            if named:
                given.add(left[n - 1].text)
                if argument is None and not _comma_after(left, n):
                    argument = left[n - 1].text
    return None


def _comma_after(left: Sequence[Token], colon: int) -> bool:
    depth = 0
    for token in left[colon:]:
        if token.text in ("(", "[", "{"):
            depth += 1
        elif token.text in (")", "]", "}"):
            depth -= 1
        elif token.text == "," and depth == 0:
            return True
    return False


def around(left: Sequence[Token]) -> Iterator[int]:
    """The indexes of the tokens before the cursor that do not stand in a block, or a pair of
    brackets, that is closed before it; from the nearest on."""
    depth = 0
    for n in range(len(left) - 1, -1, -1):
        text = left[n].text
        if text in (")", "]", "}"):
            depth += 1
        elif text in ("(", "[", "{") and depth:
            depth -= 1
        elif not depth:
            yield n


def header(left: Sequence[Token]) -> str:
    """The word that the innermost open block belongs to: `race`, `policy`, `service`, …"""
    opening = next((n for n in around(left) if left[n].text == "{"), None)
    if opening is None:
        return ""
    for n in around(left[:opening]):
        if left[n].text in _HEADS and not (n and left[n - 1].text == "."):
            return left[n].text
        if left[n].text in ("{", "}"):
            return ""
    return ""


def open_saga(left: Sequence[Token]) -> bool:
    """Whether the cursor is in the braces of a saga."""
    opened = False
    for n in around(left):
        opened = opened or left[n].text == "{"
        if left[n].text == "saga" and not (n and left[n - 1].text == "."):
            return opened
    return False


def closing(left: Sequence[Token]) -> str:
    """The brackets that would close everything before the cursor."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    return "".join(pairs.get(left[n].text, "") for n in around(left))


_HEADS = frozenset(
    (
        *("race", "policy", "service", "record", "command", "event", "enum", "match", "try"),
        *("saga", "aggregate", "projection", "scenario", "parallel", "signal", "update"),
        *("if", "while", "for", "case", "else", "branch", "after", "undo", "on"),
    )
)
