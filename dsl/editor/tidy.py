"""The canonical form of a text as edits, so that what stays the same is not touched."""

from __future__ import annotations

from difflib import SequenceMatcher

from dsl.diagnostic import Edit
from dsl.format import format
from dsl.source import Source, Span

#: Of more changed lines no smallest edits are looked for.
_MOST_LINES = 2_000


def tidied(source: Source) -> list[Edit]:
    """The edits that format a text, line by line; none for one with a mistake of syntax."""
    text, _ = format(source)
    if text == source.text:
        return []
    old, new = source.text.splitlines(keepends=True), text.splitlines(keepends=True)
    top = _common(old, new)
    bottom = _common(old[top:][::-1], new[top:][::-1])
    changed, wanted = old[top : len(old) - bottom], new[top : len(new) - bottom]
    if max(len(changed), len(wanted)) > _MOST_LINES:
        steps = [(0, len(changed), 0, len(wanted))]
    else:
        matcher = SequenceMatcher(None, changed, wanted, autojunk=False)
        steps = [(a, b, c, d) for kind, a, b, c, d in matcher.get_opcodes() if kind != "equal"]
    starts = [sum(map(len, old[:top]))]
    for line in changed:
        starts.append(starts[-1] + len(line))
    return [Edit(Span(source, starts[a], starts[b]), "".join(wanted[c:d])) for a, b, c, d in steps]


def _common(one: list[str], other: list[str]) -> int:
    """How many lines both begin with."""
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
