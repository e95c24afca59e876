"""Text to the same flow in its canonical form."""

from __future__ import annotations

from functools import cache

from dsl.automaton import Automaton, Run
from dsl.diagnostic import Diagnostic
from dsl.grammar import grammar_of
from dsl.layout.gaps import Gaps
from dsl.layout.layout import Builder, action_of
from dsl.layout.printer import written
from dsl.lexer import Token
from dsl.memory import uncollected
from dsl.parse import parse
from dsl.source import Source


def format(source: Source) -> tuple[str, tuple[Diagnostic, ...]]:
    """A whole file as it should be written, with what is wrong with its syntax. A file with a
    syntax error is given back as it is.

    Words and comments stay as they are and in their order; but a comma before a closing bracket
    comes or goes with the end of the line.
    """
    text = laid_out(source)
    if text is None:
        return source.text, parse(source)[1]
    # Should a rule of the layout be wrong, a page that means the same is better than a tidy one.
    return (text if same_words(source.text, text) else source.text), ()


@uncollected()
def laid_out(source: Source) -> str | None:
    """The text of `format` before it is compared with the source; None after a syntax error."""
    lexer = grammar_of("file").lexer
    tokens = lexer.tokens(source.text)
    gaps = Gaps(source.text, tokens)
    automaton = _automaton()
    builder = Builder(gaps, automaton.keywords)
    run = Run(automaton, builder)
    if run.feed(tokens, 0) < len(tokens):
        return None
    return written(builder.page(run.values[-1], tokens[-1]))


def same_words(one: str, other: str) -> bool:
    """Whether two texts have the same words, apart from commas before closing brackets, and so
    the same meaning."""
    return _words(one) == _words(other)


def _words(text: str) -> list[str]:
    tokens = grammar_of("file").lexer.tokens(text)
    following = (*tokens[1:], tokens[-1])
    return [t.text for t, after in zip(tokens, following, strict=True) if not _extra(t, after)]


def _extra(token: Token, after: Token) -> bool:
    return token.type == "COMMA" and after.type in ("RPAR", "RSQB", "RBRACE")


@cache
def _automaton() -> Automaton:
    return Automaton(grammar_of("file").table, action_of)
