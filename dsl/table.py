"""The grammar as plain data: what the lexer and the automaton need of it.

lark computes it, which takes a third of a second; `dsl.kept` keeps the outcome between runs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple


class Terminal(NamedTuple):
    """A kind of token. `fixed` is the text of one that is always the same, else empty; `priority`
    and `width` tell which of several that fit is meant."""

    name: str
    pattern: str
    fixed: str
    priority: int
    width: int
    length: int


class Rule(NamedTuple):
    """A rule of the grammar; `expand` tells that it is passed over when it holds one thing."""

    origin: str
    size: int
    alias: str
    expand: bool


class Table(NamedTuple):
    """An LALR table. In a state's row a terminal or a rule leads to another state, or, below zero,
    to the reduction by the rule number -1-n. `start` and `end` are states."""

    terminals: tuple[Terminal, ...]
    ignored: tuple[str, ...]
    rules: tuple[Rule, ...]
    rows: Sequence[dict[str, int]]
    start: int
    end: int


def compute(grammar: str, start: str) -> Table:
    """The table of a grammar in lark's notation, by lark."""
    from lark import Lark
    from lark.parsers.lalr_analysis import Shift

    lark = Lark(grammar, parser="lalr", start=start, keep_all_tokens=True, maybe_placeholders=False)
    found = lark.parser.parser._parse_table
    rules: dict[Any, int] = {}

    def move(kind: Any, target: Any) -> int:
        return int(target) if kind is Shift else -1 - rules.setdefault(target, len(rules))

    rows = [
        {str(name): move(*step) for name, step in found.states[state].items()}
        for state in range(len(found.states))
    ]
    return Table(
        terminals=tuple(
            Terminal(
                t.name,
                t.pattern.to_regexp(),
                t.pattern.value if t.pattern.type == "str" else "",
                t.priority,
                t.pattern.max_width,
                len(t.pattern.value),
            )
            for t in lark.terminals
        ),
        ignored=tuple(lark.ignore_tokens),
        rules=tuple(
            Rule(str(r.origin.name), len(r.expansion), str(r.alias or ""), bool(r.options.expand1))
            for r in rules
        ),
        rows=rows,
        start=found.start_states[start],
        end=found.end_states[start],
    )


def write(table: Table) -> str:
    """A table as JSON."""
    return json.dumps(table, separators=(",", ":"))


def read(text: str) -> Table:
    """What `write` gave. Raises ValueError or TypeError for what cannot be a table."""
    terminals, ignored, rules, rows, start, end = json.loads(text)
    return Table(
        terminals=tuple(Terminal(*t) for t in terminals),
        ignored=tuple(ignored),
        rules=tuple(Rule(*r) for r in rules),
        rows=rows,
        start=start,
        end=end,
    )
