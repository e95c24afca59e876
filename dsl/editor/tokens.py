"""The words and signs of a text around a place, whatever the text is."""

from __future__ import annotations

from dsl.grammar import grammar_of
from dsl.lexer import END, Token


def tokens_of(text: str) -> list[Token]:
    """All tokens, without the end's."""
    return [t for t in grammar_of("file").lexer.tokens(text) if t.type != END]


def is_word(token: Token) -> bool:
    """Whether it may be a name."""
    return token.text.isidentifier()
