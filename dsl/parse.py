"""Text to syntax tree."""

from __future__ import annotations

from bisect import bisect_left
from functools import cache
from typing import NamedTuple

from msgspec.structs import replace

from dsl import syntax
from dsl.automaton import Automaton, Run
from dsl.diagnostic import Diagnostic
from dsl.grammar import grammar_of
from dsl.lexer import END, UNCLOSED, Token
from dsl.memory import uncollected
from dsl.recovery import Recovery
from dsl.source import Source
from dsl.syntax_error import explain
from dsl.tree.actions import action_of
from dsl.tree.file import TreeBuilder


@uncollected()
def parse(source: Source) -> tuple[syntax.File, tuple[Diagnostic, ...]]:
    """The syntax tree of a whole file. With a syntax error among the diagnostics, what could be
    read of it."""
    lexer, _, words = grammar_of("file")
    builder = TreeBuilder(source)
    run = Run(_automaton("file"), builder)
    tokens = lexer.tokens(source.text)
    index = run.feed(tokens, 0)
    if index == len(tokens):
        return _with_words(run.values[-1], tokens), _in_order(builder.diagnostics)
    errors: list[Diagnostic] = []

    def report(token: Token, before: Token | None, todo: str, meant: str) -> None:
        accepted = {meant} if meant else run.accepted()
        found = explain(source, token, before, accepted, words)
        errors.append(replace(found, help=todo, fix=()) if todo else found)

    whole = Recovery(run, tokens, source.text, words, report).go_on(index)
    file = _with_words(run.values[-1], tokens) if whole else builder.partial(run.values)
    return replace(file, whole=whole), _in_order((*builder.diagnostics, *errors))


class Expected(NamedTuple):
    """What could come next: the types of tokens, and the words that would be more than names."""

    tokens: frozenset[str]
    words: frozenset[str]


@uncollected()
def expected_after(text: str) -> Expected:
    """What could stand at the end of the beginning of a file, mistakes before it left aside."""
    lexer, _, words = grammar_of("file")
    run = Run(_automaton("file"), TreeBuilder(Source("", text)))
    tokens = lexer.tokens(text)[:-1]
    index = run.feed(tokens, 0)
    if index < len(tokens):
        Recovery(run, tokens, text, words, lambda *_: None).go_on(index)
    return Expected(
        frozenset(run.accepted()), frozenset(words[k] for k in run.keywords() if k in words)
    )


@uncollected()
def parse_expression(source: Source) -> tuple[syntax.Expr | None, tuple[Diagnostic, ...]]:
    """The syntax tree of a text that is one expression; None when it is not."""
    lexer, _, words = grammar_of("expr")
    builder = TreeBuilder(source)
    run = Run(_automaton("expr"), builder)
    tokens = lexer.tokens(source.text)
    index = run.feed(tokens, 0)
    if index == len(tokens):
        return run.values[-1], _in_order(builder.diagnostics)
    before = tokens[index - 1] if index else None
    error = explain(source, tokens[index], before, run.accepted(), words, "expression")
    return None, _in_order((*builder.diagnostics, error))


def goes_on(text: str) -> bool:
    """Whether a text could be an expression if more followed: it ends too early, or within a
    string of several lines."""
    lexer, _, _ = grammar_of("expr")
    run = Run(_automaton("expr"), TreeBuilder(Source("", text)))
    tokens = lexer.tokens(text)
    index = run.feed(tokens, 0)
    if index == len(tokens):
        return False
    stopped = tokens[index]
    long = ('"""', "'''")
    return stopped.type == END or (stopped.type == UNCLOSED and stopped.text.startswith(long))


def _with_words(file: syntax.File, tokens: list[Token]) -> syntax.File:
    if not file.imports:
        return file
    behind = bisect_left(tokens, file.imports[-1].at.end, key=lambda t: t.start)
    return replace(file, words=frozenset(t.text for t in tokens[behind:]))


def _in_order(diagnostics: list[Diagnostic] | tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(diagnostics, key=lambda d: (d.at.start, d.at.end)))


@cache
def _automaton(start: str) -> Automaton:
    return Automaton(grammar_of(start).table, action_of)
