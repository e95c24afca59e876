"""A part of a flow that is laid out, until the part around it takes it."""

from __future__ import annotations

from dsl.layout.page import Doc, Group
from dsl.lexer import Token


class Piece:
    """What one rule of the grammar covers, from the word `first` to the word `last`.

    `parts` are grouped by `doc`, or taken over by the piece around. `opened` is the type of the
    sign or keyword it begins with, empty where it begins with a piece or is one word. `broken`
    tells that it never stands on one line, `grouped` that its own lines end together, `blocks` that
    a block stands in it.
    """

    __slots__ = ("blocks", "broken", "first", "grouped", "last", "opened", "parts", "rule")

    def __init__(
        self, rule: str, parts: list[Doc], first: Token, last: Token, broken: bool = False
    ) -> None:
        self.rule = rule
        self.parts = parts
        self.first = first
        self.last = last
        self.broken = broken
        self.opened = ""
        self.grouped = False
        self.blocks = False

    def doc(self) -> Doc:
        """The piece as a part of another."""
        if self.grouped:
            return Group(self.parts, self.broken)
        return self.parts[0] if len(self.parts) == 1 else self.parts


#: What the values of a rule's symbols are here.
Child = Token | Piece


def first(child: Child) -> Token:
    """The first word."""
    return child.first if isinstance(child, Piece) else child


def last(child: Child) -> Token:
    """The last word."""
    return child.last if isinstance(child, Piece) else child
