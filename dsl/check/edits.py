"""Edits that put a text right, made from what stands around a place."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dsl import syntax
from dsl.diagnostic import Edit
from dsl.source import Span

_BLANKS = " \t"
#: What may stand before a name: its statement, or the `as` that goes with it.
_GIVES_A_NAME = re.compile(r"\b(as|let|for)[ \t]+\Z")
#: How far back a word is looked for that belongs to a place.
_NEAR = 200


def removed(at: Span) -> tuple[Edit, ...]:
    """Without that text, and without the lines that hold nothing else."""
    text, start, end = at.source.text, at.start, at.end
    while start and text[start - 1] in _BLANKS:
        start -= 1
    behind = end
    while behind < len(text) and text[behind] in " \t\r":
        behind += 1
    first = start == 0 or text[start - 1] == "\n"
    last = behind == len(text) or text[behind] == "\n"
    if first and last:
        end = min(behind + 1, len(text))
    elif first:
        start, end = at.start, behind
    return (Edit(Span(at.source, start, end), ""),)


def removed_with(word: str, at: Span) -> tuple[Edit, ...]:
    """The same with the word before it: `as x`, `undo f()`, `else { }`; none when a comment stands
    between."""
    begun = re.search(rf"\b{word}\s*\Z", at.source.text[max(0, at.start - _NEAR) : at.start])
    if begun is None:
        return ()
    length = len(begun[0])
    return removed(Span(at.source, at.start - length, at.end))


def unused(name: syntax.Identifier) -> tuple[Edit, ...]:
    """Says that a name is not to be read: `as x` goes, `let x` becomes `let _x`. None for a
    variable, which may be set in many places."""
    text = name.at.source.text
    given = _GIVES_A_NAME.search(text[max(0, name.at.start - _NEAR) : name.at.start])
    if given is None:
        return ()
    if given[1] == "as":
        return removed_with("as", name.at)
    return (Edit(Span(name.at.source, name.at.start, name.at.start), "_"),)


def further_items(block: Span, items: Iterable[str]) -> tuple[Edit, ...]:
    """More items at the end of a block in braces, in lines of their own where its brace has one."""
    text, place = block.source.text, block.end - 1
    line = text.rfind("\n", 0, place) + 1
    indent = text[line:place]
    if not indent.strip(_BLANKS):
        added = "".join(f"  {item}\n{indent}" for item in items)
    else:
        added = "".join(f"{item} " for item in items)
        added = added if text[place - 1] in _BLANKS else f" {added}"
    return (Edit(Span(block.source, place, place), added),)
