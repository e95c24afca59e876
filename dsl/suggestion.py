"""A help that names what was likely meant, and so can be followed without thinking."""

from __future__ import annotations

from difflib import SequenceMatcher

from dsl.diagnostic import Edit
from dsl.source import Span

#: How alike two names are when one is a slip of the other, in difflib's measure from 0 to 1.
_A_SLIP = 0.8


class Suggestion(str):
    """`right` is to be put in the place of `wrong`; the text says so, or says why."""

    right: str
    wrong: str

    def __new__(cls, wrong: str, right: str, text: str = "") -> Suggestion:
        made = super().__new__(cls, text or f"did you mean `{right}`?")
        made.wrong, made.right = wrong, right
        return made


def fix_of(at: Span, help: str) -> tuple[Edit, ...]:
    """The edit that follows a help; none where it names nothing, where the span holds more than
    the wrong name, or where another name may have been meant as well."""
    if not isinstance(help, Suggestion) or at.text != help.wrong:
        return ()
    alike = SequenceMatcher(None, help.wrong.lower(), help.right.lower()).ratio() >= _A_SLIP
    # A name that is only completed is none to doubt.
    return (Edit(at, help.right),) if alike or help.right.endswith(help.wrong) else ()
