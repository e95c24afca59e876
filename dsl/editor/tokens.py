"""The words and signs of a text around a place, whatever the text is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from dsl.grammar import grammar_of
from dsl.lexer import END, Token


def tokens_of(text: str) -> list[Token]:
    """All tokens, without the end's."""
    return [t for t in grammar_of("file").lexer.tokens(text) if t.type != END]


def token_at(text: str, offset: int) -> Token | None:
    """The token that a place is in, or right behind."""
    tokens = tokens_of(text)
    place = bisect_right(tokens, offset, key=lambda t: t.start) - 1
    return tokens[place] if place >= 0 and tokens[place].end >= offset else None


def before(tokens: list[Token], offset: int) -> list[Token]:
    """The tokens that end before a place or at it."""
    return tokens[: bisect_left(tokens, True, key=lambda t: t.end > offset)]


def is_word(token: Token) -> bool:
    """Whether it may be a name."""
    return token.text.isidentifier()
