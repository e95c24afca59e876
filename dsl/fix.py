"""Puts right what diagnostics say how to put right."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from dsl.diagnostic import Diagnostic, Edit


class Fixed(NamedTuple):
    """The texts that changed, by path as shown, and the diagnostics whose fixes were taken."""

    texts: dict[str, str]
    taken: tuple[Diagnostic, ...]


def fixed(diagnostics: Iterable[Diagnostic], paths: Collection[str]) -> Fixed:
    """Takes every fix that changes nothing but these files, and leaves out one that changes what
    another does: it is found again, if it still is wrong, when the outcome is checked."""
    edits: dict[str, list[Edit]] = {path: [] for path in paths}
    taken: list[Diagnostic] = []
    for diagnostic in diagnostics:
        if diagnostic.fix and all(_free(e, edits.get(e.at.source.path)) for e in diagnostic.fix):
            taken.append(diagnostic)
            for edit in diagnostic.fix:
                insort(edits[edit.at.source.path], edit, key=_start)
    return Fixed({path: _edited(found) for path, found in edits.items() if found}, tuple(taken))


def _start(edit: Edit) -> int:
    return edit.at.start


def _free(edit: Edit, others: Sequence[Edit] | None) -> bool:
    """Whether none of the others, which are in order, changes anything there."""
    if others is None:
        return False
    place = bisect_left(others, edit.at.start, key=_start)
    before = place == 0 or others[place - 1].at.end <= edit.at.start
    after = place == len(others) or (
        others[place].at.start >= edit.at.end and others[place].at.start > edit.at.start
    )
    return before and after


def _edited(edits: Sequence[Edit]) -> str:
    text = edits[0].at.source.text
    parts, end = [], 0
    for edit in edits:
        parts += [text[end : edit.at.start], edit.text]
        end = edit.at.end
    return "".join([*parts, text[end:]])
