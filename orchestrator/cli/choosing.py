"""`-k EXPR`: words that a text holds, joined with `and`, `or` and `not`."""

from __future__ import annotations

import re
from collections.abc import Callable

#: From the loosest to the tightest, as in Python; what is between them is looked for as it is.
_OR, _AND, _NOT = (re.compile(p) for p in (r"\s+or\s+", r"\s+and\s+", r"not\s+"))


def chooser(expression: str) -> Callable[[str], bool]:
    """Whether a text fits an expression such as `card and not limit`; case does not count."""
    ways = [[_word(w) for w in _AND.split(way)] for way in _OR.split(expression.strip())]
    return lambda text: any(all(fits(text.casefold()) for fits in words) for words in ways)


def _word(text: str) -> Callable[[str], bool]:
    if found := _NOT.match(text):
        inner = _word(text[found.end() :])
        return lambda within: not inner(within)
    word = text.strip().casefold()
    return lambda within: word in within
