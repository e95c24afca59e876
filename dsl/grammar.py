"""The grammar file, made into what reads a text by it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from dsl.kept import table_of
from dsl.lexer import Lexer
from dsl.table import Table


class Grammar(NamedTuple):
    """What the grammar file was made into; `words` spells its keywords and signs."""

    lexer: Lexer
    table: Table
    words: dict[str, str]


@cache
def grammar_of(start: str) -> Grammar:
    """The grammar of a whole `file` or of one expression, `expr`."""
    text = Path(__file__).with_name("grammar.lark").read_text("utf-8")
    table = table_of(text, start)
    words = {t.name: t.fixed for t in table.terminals if t.fixed}
    return Grammar(Lexer(table.terminals, table.ignored), table, words)
