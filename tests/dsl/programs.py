"""Random programs: any words that the grammar allows, and anything that may stand between them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from lark import Lark
from lark.grammar import Rule, Symbol

from dsl.source import Source, Span

#: Texts of the terminals that have more than one.
_TEXTS = {
    "NAME": ("a", "b1", "order_id", "Line", "r", "long_" * 9),
    "INT": ("0", "42", "0x1F", "10000000"),
    "FLOAT": ("1.5", ".5", "2e10", "1.0e-3"),
    "STRING": ('"s"', "'t'", '"""one\ntwo"""', 'r"\\d+"', '"// none"', '"é🙂"', '"long text"'),
    "BYTES": ("b'x'", 'b"""y"""'),
    "DURATION": ("10s", "1m30s", "7d"),
    "PERCENT": ("20%", "0.5%"),
    "COMPARISON": ("==", "!=", "<=", ">="),
}  # fmt: skip
_BLANKS = (" ", " ", " ", " ", "  ", "\t", "\n", "\n  ", "\r\n", "\n\n", "\n\n\n \n")


class Programs:
    """Derives texts from the grammar file, so that what it learns is generated as well."""

    def __init__(self) -> None:
        grammar = files("dsl").joinpath("grammar.lark").read_text("utf-8")
        lark = Lark(grammar, parser="lalr", start="file", keep_all_tokens=True)
        self._fixed = {t.name: t.pattern.value for t in lark.terminals if t.pattern.type == "str"}
        self._rules: dict[str, list[Rule]] = {}
        for rule in lark.rules:
            self._rules.setdefault(str(rule.origin.name), []).append(rule)
        self._sizes = self._smallest()

    def _smallest(self) -> dict[str, int]:
        """How many words each symbol needs at least."""
        sizes: dict[str, int] = {}
        while True:
            before = dict(sizes)
            for name, rules in self._rules.items():
                known = [s for r in rules if (s := self._size(r, sizes)) is not None]
                if known:
                    sizes[name] = min(known)
            if sizes == before:
                return sizes

    def _size(self, rule: Rule, sizes: dict[str, int]) -> int | None:
        parts = [1 if s.is_term else sizes.get(str(s.name)) for s in rule.expansion]
        return None if None in parts else sum(p for p in parts if p is not None)

    def words(self, random: Random, most: int) -> list[str]:
        """The words of a file; about `most` of them, then it is ended as soon as it can be."""
        words: list[str] = []
        left: list[Symbol] = list(reversed(random.choice(self._rules["file"][-2:]).expansion))
        while left:
            symbol = left.pop()
            name = str(symbol.name)
            if symbol.is_term:
                words.append(self._fixed.get(name) or random.choice(_TEXTS[name]))
                continue
            rules = self._rules[name]
            if len(words) + len(left) > most:
                least = min(self._size(r, self._sizes) or 0 for r in rules)
                rules = [r for r in rules if (self._size(r, self._sizes) or 0) == least]
            left += reversed(random.choice(rules).expansion)
        return words


@cache
def programs() -> Programs:
    """The generator, made once."""
    return Programs()


def spread(words: list[str], random: Random, remarks: float) -> str:
    """The words with blanks and comments between them; `remarks` is how often a comment stands."""
    text: list[str] = []
    for n, word in enumerate(words):
        blank = random.choice(_BLANKS)
        if random.random() < remarks:
            kind = random.choice(("//", "// ", "/// ", "///"))
            blank += f"{random.choice(_BLANKS)}{kind}{n} é \t{random.choice(_BLANKS[6:])}"
            blank += random.choice(("", "", "\n", f"// and {n}\n", f"\n\n/// and {n}\n\n"))
        text += [blank, word]
    text.append(random.choice(("", "\n", " // the end", "\n\n\n// the end\n\n")))
    return "".join(text)


def bare(node: Any) -> Any:
    """A syntax tree without places."""
    if isinstance(node, tuple) and not isinstance(node, Span):
        return tuple(bare(n) for n in node)
    if is_dataclass(node) and not isinstance(node, Source):
        kept = [f.name for f in fields(node) if f.name not in ("at", "source")]
        return (type(node).__name__, *((k, bare(getattr(node, k))) for k in kept))
    # 1, 1.0 and true are equal in Python.
    return (type(node).__name__, node)
