"""Random programs: any words that the grammar allows, and anything that may stand between them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from random import Random
from typing import Any, NamedTuple

from lark import Lark
from lark.grammar import Rule, Symbol

from dsl.source import Span
from dsl.syntax import Node

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
#: How many words more than it needs an expression inside of a file may have.
_EXPRESSION = 16
_BLANKS = (" ", " ", " ", " ", "  ", "\t", "\n", "\n  ", "\r\n", "\n\n", "\n\n\n \n")


class _Way(NamedTuple):
    """A rule, and what is asked of it at every turn: the words that it needs at least and those
    beyond its symbol's shortest rule, its weight, and how much each of its parts leads to."""

    name: str
    parts: tuple[Symbol, ...]
    needs: int
    extra: int
    weight: int
    reach: tuple[int, ...]


class Programs:
    """Derives texts from the grammar file, so that what it learns is generated as well."""

    def __init__(self) -> None:
        grammar = files("dsl").joinpath("grammar.lark").read_text("utf-8")
        lark = Lark(grammar, parser="lalr", start=["file", "expr"], keep_all_tokens=True)
        self._fixed = {t.name: t.pattern.value for t in lark.terminals if t.pattern.type == "str"}
        self._rules: dict[str, list[Rule]] = {}
        # In the order of the file: lark's own is that of a set.
        for rule in sorted(lark.rules, key=lambda r: (r.origin.name, r.order)):
            self._rules.setdefault(str(rule.origin.name), []).append(rule)
        self._sizes = self._smallest()
        # What leads to more gets more words: there is more of it to see.
        self._reach = {name: self._behind(rules) for name, rules in self._rules.items()}
        self._operands = self._inside(*self._rules["expr"]) - self._inside(*self._rules["path"])
        self._ways = {n: [self._way(n, r) for r in rs] for n, rs in self._rules.items()}
        self._unused = {w.name for n, ws in self._ways.items() if n != "file" for w in ws}

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

    def _behind(self, rules: list[Rule]) -> int:
        """How many symbols some rules lead to, not looking into expressions."""
        return len(self._inside(*rules, but="expr"))

    def _inside(self, *rules: Rule, but: str = "") -> set[str]:
        left, seen = list(rules), {but}
        while left:
            names = {str(s.name) for s in left.pop().expansion if not s.is_term} - seen
            seen |= names
            left += [r for n in names for r in self._rules[n]]
        return seen

    def _weight(self, rule: Rule) -> int:
        """How often a rule is chosen: what leads to more more often, for there is more to see; an
        expression that is none but of one kind more often than one of two operands."""
        if str(rule.origin.name) not in self._operands:
            return self._behind([rule])
        return 3 if rule.expansion == rule.expansion[:1] else self._needed(rule)

    def _size(self, rule: Rule, sizes: dict[str, int]) -> int | None:
        parts = [1 if s.is_term else sizes.get(str(s.name)) for s in rule.expansion]
        return None if None in parts else sum(p for p in parts if p is not None)

    def _way(self, name: str, rule: Rule) -> _Way:
        reach = tuple(self._reach.get(str(s.name), 0) for s in rule.expansion)
        needs = self._needed(rule)
        extra = needs - self._sizes[name]
        return _Way(str(rule), tuple(rule.expansion), needs, extra, self._weight(rule), reach)

    def _needed(self, rule: Rule) -> int:
        return sum(1 if s.is_term else self._sizes[str(s.name)] for s in rule.expansion)

    def words(self, random: Random, most: int, start: str = "file") -> list[str]:
        """The words of a file or of an `expr`: about `most` of them. An expression inside of a file
        is short, so that there is room for the rest."""
        words: list[str] = []
        left: list[tuple[Symbol, int]] = []
        self._begin(left, random, most, start)
        while left:
            symbol, spare = left.pop()
            name = str(symbol.name)
            if symbol.is_term:
                words.append(self._fixed.get(name) or random.choice(_TEXTS[name]))
                continue
            if name == "expr" and start == "file":
                spare = min(spare, random.randrange(_EXPRESSION))
            self._expand(left, random, self._chosen(random, name, spare), spare)
        return words

    def _begin(self, left: list[tuple[Symbol, int]], random: Random, most: int, start: str) -> None:
        ways = self._ways[start]
        # The first has all parts of a file; one without declarations tests nothing.
        last = ways[0].parts[-1:]
        chosen = [w for w in ways if start != "file" or w.parts[-1:] == last]
        self._expand(left, random, random.choice(chosen), most)

    def _chosen(self, random: Random, name: str, spare: int) -> _Way:
        """One of a symbol's rules that need no more words than there are to spare."""
        ways = [w for w in self._ways[name] if w.extra <= spare]
        return random.choices(ways, [w.weight for w in ways])[0]

    def _expand(
        self, left: list[tuple[Symbol, int]], random: Random, way: _Way, spare: int
    ) -> None:
        """Shares what there is to spare among the parts of a rule."""
        self._unused.discard(way.name)
        spare = max(0, spare - way.extra)
        wish = [random.random() * reach for reach in way.reach]
        total = sum(wish) or 1
        shares = [round(spare * w / total) for w in wish]
        left += reversed(list(zip(way.parts, shares, strict=True)))

    def unused(self) -> set[str]:
        """The rules that no text was derived by so far, save those of a whole file."""
        return set(self._unused)


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
    """A syntax tree without places, and without the set of all words that a file has."""
    if isinstance(node, tuple) and not isinstance(node, Span):
        return tuple(bare(n) for n in node)
    if isinstance(node, Node):
        kept = [n for n in node.__struct_fields__ if n not in ("at", "source", "words")]
        return (type(node).__name__, *((k, bare(getattr(node, k))) for k in kept))
    # 1, 1.0 and true are equal in Python.
    return (type(node).__name__, node)
