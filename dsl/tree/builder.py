"""What all parts of the builder share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from dsl import literal, syntax
from dsl.diagnostic import Diagnostic, Note
from dsl.docs import doc_above
from dsl.lexer import Token
from dsl.source import Source, Span
from dsl.tree.clauses import Clause

#: The word a clause begins with.
_WORD = re.compile(r"\w+|->")


class Builder:
    """A source, and what was found wrong in it. A method that is named as a rule of the grammar
    makes its node of what the rule holds."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []

    def _doc(self, at: Span) -> str:
        return doc_above(self.source, at.start)

    def path(self, at: Span, c: list[syntax.Identifier]) -> syntax.Path:
        return syntax.Path(tuple(c))

    def _once(self, clauses: Sequence[Clause], words: set[str]) -> dict[str, Any]:
        """What these clauses say; one that is said twice is reported."""
        found: dict[str, Clause] = {}
        for clause in clauses:
            if clause.word not in words:
                continue
            first = found.setdefault(clause.word, clause)
            if first is not clause:
                word = _WORD.match(clause.at.text)
                if word is None:
                    continue  # put in where a word was missing, which is reported
                at = Span(self.source, clause.at.start, clause.at.start + word.end())
                also = (Note(first.at, "said here first"),)
                message = f"a second `{word[0]}` clause"
                self.diagnostics.append(
                    Diagnostic("F004", message, at, "said again", "keep one of them", also)
                )
        return {word: clause.content for word, clause in found.items()}

    def constant(self, at: Span, read: Callable[[str], Any], text: str) -> syntax.Literal:
        """What a text stands for; null where it cannot be read, which is reported."""
        try:
            return syntax.Literal(read(text), at)
        except ValueError as e:
            help = literal.help_for(read)
            self.diagnostics.append(Diagnostic("F207", str(e), at, "no such value", help))
            return syntax.Literal(None, at)

    def _integer(self, token: Token) -> syntax.Literal:
        return self._read(token, literal.read_int)

    def _text(self, token: Token) -> syntax.Literal:
        return self._read(token, literal.read_string)

    def _read(self, token: Token, read: Callable[[str], Any]) -> syntax.Literal:
        return self.constant(Span(self.source, token.start, token.end), read, token.text)
