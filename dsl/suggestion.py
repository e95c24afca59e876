"""A help that names what was likely meant, and so can be followed without thinking."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

from dsl.diagnostic import Edit
from dsl.source import Span

#: How alike two names are when one is a slip of the other, in difflib's measure from 0 to 1.
_A_SLIP = 0.8
#: How many names a help lists.
_NAMED = 5


class Suggestion(str):
    """`right` is to be put in the place of `wrong`; the text says so, or says why."""

    right: str
    wrong: str

    def __new__(cls, wrong: str, right: str, text: str = "") -> Suggestion:
        made = super().__new__(cls, text or f"did you mean `{right}`?")
        made.wrong, made.right = wrong, right
        return made


def one_of(known: Iterable[str], otherwise: str = "") -> str:
    """A help that lists the first few of what there is."""
    first = list(dict.fromkeys(known))
    listed = ", ".join(f"`{name}`" for name in first[:_NAMED])
    return f"there is {listed}{', …' if len(first) > _NAMED else ''}" if first else otherwise


def fix_of(at: Span, help: str) -> tuple[Edit, ...]:
    """The edit that follows a help; none where it names nothing, where the span holds more than
    the wrong name, or where another name may have been meant as well."""
    if not isinstance(help, Suggestion) or at.text != help.wrong:
        return ()
    wrong, right = help.wrong.lower(), help.right.lower()
    # A name that is only completed is none to doubt.
    sure = alike(wrong, right, _A_SLIP) or help.right.endswith(help.wrong)
    return (Edit(at, help.right),) if sure else ()


def alike(a: str, b: str, enough: float) -> bool:
    """Whether one word may be a slip of the other: near enough in difflib's measure, or the same
    letters in another order."""
    return sorted(a) == sorted(b) or SequenceMatcher(None, a, b).ratio() >= enough
