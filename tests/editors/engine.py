"""The engine of TextMate grammars, and what our own grammar says of the same words."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lark import Lark, Token, Tree
from lark.exceptions import LarkError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXTENSION = ROOT / "docs" / "editors" / "vscode"
GRAMMAR = EXTENSION / "syntaxes" / "flow.tmLanguage.json"
NODE = shutil.which("node")
INSTALLED = NODE is not None and (HERE / "node_modules" / "vscode-textmate").is_dir()
#: Rules of the grammar whose words are names.
_NAMES = frozenset(
    ("name", "any_name", "field_name", "setting_name", "variable", "subject_name", "expected_name")
)


class Piece(NamedTuple):
    """A part of a text and the scopes that it was given, the widest first."""

    start: int
    end: int
    scopes: tuple[str, ...]

    def has(self, *beginnings: str) -> bool:
        """Whether one of the scopes begins so."""
        return any(s.startswith(beginnings) for s in self.scopes)


class Word(NamedTuple):
    """A token as the parser reads it: its terminal, whether it is a name where it stands, and the
    rule that it stands in (`type_ref` for all that is inside of one)."""

    text: str
    start: int
    kind: str
    named: bool
    rule: str


def coloured(texts: Sequence[str]) -> list[list[Piece]]:
    """The pieces of texts, by the engine that VS Code uses."""
    assert NODE, "Node.js is missing"
    done = subprocess.run(
        [NODE, str(HERE / "tokens.js"), str(GRAMMAR)],
        input=json.dumps(list(texts)),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [
        [Piece(places[a], places[b], tuple(scopes)) for a, b, scopes in pieces]
        for text, pieces in zip(texts, json.loads(done.stdout), strict=True)
        for places in [_places(text)]
    ]


def _places(text: str) -> list[int]:
    """The place of each UTF-16 unit of a text, and of its end."""
    units = [n for n, c in enumerate(text) for _ in range(1 + (c > "\uffff"))]
    return [*units, len(text)]


@cache
def _lark() -> Lark:
    text = (ROOT / "dsl" / "grammar.lark").read_text("utf-8")
    return Lark(text, parser="lalr", lexer="basic", start="file", keep_all_tokens=True)


def keywords() -> set[str]:
    """The words that the grammar spells."""
    return {t.pattern.value for t in _lark().terminals if t.pattern.value.isidentifier()}


@cache
def words(text: str) -> tuple[Word, ...] | None:
    """The tokens of a text; None when it does not parse."""
    try:
        tree = _lark().parse(text)
    except LarkError:
        return None
    found: list[Word] = []
    stack: list[tuple[Tree[Token] | Token, tuple[str, ...]]] = [(tree, ())]
    while stack:
        node, rules = stack.pop()
        if isinstance(node, Tree):
            inside = (*rules, str(node.data))
            stack += [(child, inside) for child in reversed(node.children)]
        else:
            named = not _NAMES.isdisjoint(rules)
            owners = [r for r in rules if r not in _NAMES or r == "field_name"]
            rule = "type_ref" if "type_ref" in rules else owners[-1]
            found.append(Word(str(node), node.start_pos or 0, node.type, named, rule))
    return tuple(found)
