"""What can be put right at a press of a key."""

from __future__ import annotations

import re
from typing import NamedTuple

from dsl.diagnostic import Diagnostic, Edit
from dsl.editor.analysis import Analysis

_MEANT = re.compile(r"did you mean `([^`]+)`\?")


class Fix(NamedTuple):
    """Edits that put a finding right, under a title that says what they do."""

    title: str
    edits: tuple[Edit, ...]
    of: Diagnostic


def fixes(analysis: Analysis, start: int, end: int) -> list[Fix]:
    """The fixes of what was found in a part of a file, what touches it included."""
    found: list[Fix] = []
    for diagnostic in analysis.diagnostics:
        if diagnostic.at.start > end or diagnostic.at.end < start:
            continue
        if diagnostic.fix:
            found.append(Fix(_title(diagnostic), diagnostic.fix, diagnostic))
        elif meant := _MEANT.match(diagnostic.help):
            edits = (Edit(diagnostic.at, meant[1]),)
            found.append(Fix(f"change to `{meant[1]}`", edits, diagnostic))
    return found


def _title(diagnostic: Diagnostic) -> str:
    return diagnostic.help or f"fix: {diagnostic.message}"
