"""What is to be said of a flow besides its syntax errors, when those could be mended."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace

from dsl.cel.names import TYPE_NAMES
from dsl.diagnostic import Diagnostic, Severity
from dsl.source import Source, Span

_WORD = re.compile(r"[^\W\d]\w*")


def beside(
    found: Iterable[Diagnostic], syntax_errors: Iterable[Diagnostic]
) -> tuple[Diagnostic, ...]:
    """The errors that have nothing to do with the lines of the syntax errors: neither do they stand
    there, nor do they tell of a name from there, for all that may come of how a line was mended.
    Warnings are left for later, and so are fixes: a text is not changed by what a guess at it
    says."""
    wrong = {line for d in syntax_errors for line in _lines(d.at)}
    names: set[str] = set().union(*(_words(source.line(n)) for source, n in wrong))
    names -= set(TYPE_NAMES)
    return tuple(
        replace(d, fix=())
        for d in found
        if d.severity is Severity.ERROR
        and wrong.isdisjoint(line for at in (d.at, *(n.at for n in d.also)) for line in _lines(at))
        and names.isdisjoint(_words(" ".join((d.at.text, *d.message.split("`")[1::2]))))
    )


def _lines(at: Span) -> list[tuple[Source, int]]:
    """The lines that a place touches."""
    first, last = (at.source.position(offset)[0] for offset in (at.start, at.end))
    return [(at.source, line) for line in range(first, last + 1)]


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text))
