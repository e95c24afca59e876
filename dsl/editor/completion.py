"""What could be written at the cursor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dsl.editor.clauses import by_neighbour, named
from dsl.editor.cursor import Cursor
from dsl.editor.expressions import argument_names, expression, members
from dsl.editor.place import Place, closing, open_saga, place_at
from dsl.editor.proposals import Completion
from dsl.editor.tokens import tokens_of
from dsl.editor.words import WORDS
from dsl.editor.workspace import Workspace
from dsl.parse import Expected, expected_after

#: Stands for the word at the cursor while the text is analysed.
_STAND_IN = "cursor__"


class Completions(NamedTuple):
    """Proposals for the word that begins at an offset, the best first."""

    start: int
    items: tuple[Completion, ...]


def complete(workspace: Workspace, path: str, offset: int) -> Completions | None:
    """What could stand at a place of a file; None where nothing is to be proposed."""
    source = workspace.source(path)
    if source is None:
        return None
    place = place_at(source.text, tokens_of(source.text), offset)
    if place is None:
        return None
    expected = expected_after(source.text[: place.start])
    cursor = _understood(workspace, path, source.text, place, offset, expected)
    if cursor is None:
        return None
    found: dict[str, Completion] = {}
    for item in _items(cursor):
        found.setdefault(item.label, item)
    found.pop(_STAND_IN, None)
    return Completions(place.start, tuple(sorted(found.values(), key=lambda c: (c.rank, c.label))))


def _understood(
    workspace: Workspace, path: str, text: str, place: Place, offset: int, expected: Expected
) -> Cursor | None:
    """The cursor in the text with a stand-in for the word there. Where the block around it is lost
    by that, one more thing is made of the text after another."""
    before, after = text[: place.start], text[offset:]
    wanted = open_saga(place.left)
    cursor: Cursor | None = None
    for tried in (
        before + _STAND_IN + after,
        before + _STAND_IN + " { }" + after,
        before + after,
        before + closing(place.left),
    ):
        analysis = workspace.fork({path: tried}).analysis(path)
        if analysis is None:
            return None
        found = Cursor(workspace, analysis, place, expected)
        cursor = cursor or found
        if not wanted or found.in_block():
            return found
    return cursor


def _items(cursor: Cursor) -> Iterator[Completion]:
    """Everything that may stand there."""
    if cursor.place.last == ".":
        yield from members(cursor)
        return
    arguments = argument_names(cursor)
    if arguments is not None:
        yield from arguments
        return
    wanted = named(cursor)
    if wanted is not None:
        yield from wanted
    elif "INT" in cursor.expected.tokens:
        yield from expression(cursor)
    elif "NAME" in cursor.expected.tokens:
        yield from by_neighbour(cursor)
    for word in cursor.expected.words:
        yield Completion(word, "keyword", doc=WORDS.get(word, ""), rank=6)
