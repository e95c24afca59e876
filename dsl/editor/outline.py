"""A file as a tree of what it declares."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dsl import syntax
from dsl.depth import make_room
from dsl.editor.declared import kind_of
from dsl.source import Span

#: What is worth a line of its own inside of a saga.
_INSIDE = (syntax.Step, syntax.Branch, syntax.Var)
#: How many nodes deep it is looked: beyond the deepest blocks, which editors would not show either.
_DEEPEST = 600


class Entry(msgspec.Struct, frozen=True):
    """A declaration: its kind, its name and where both stand, and what is inside."""

    kind: str
    name: str
    detail: str
    at: Span
    name_at: Span
    inside: tuple[Entry, ...] = ()


def outline(file: syntax.File) -> tuple[Entry, ...]:
    """The declarations of a file and the steps of its sagas, in the order of the text."""
    make_room()
    nodes = (*file.declarations, *file.scenarios)
    return tuple(e for node in sorted(nodes, key=lambda n: n.at.start) for e in _entries(node))


def _entries(node: syntax.Node, depth: int = 0) -> Iterator[Entry]:
    """The entry of a node, or else those of what is inside it."""
    if depth > _DEEPEST:
        return
    inside = [e for child in syntax.children(node) for e in _entries(child, depth + 1)]
    inside.sort(key=lambda e: e.at.start)
    kind, name = kind_of(node), getattr(node, "name", None)
    declares = type(node).__name__.endswith("Decl") or isinstance(node, _INSIDE)
    if isinstance(node, syntax.ScenarioDecl):
        title = str(node.title.value) or "scenario"
        yield Entry(kind, title, "scenario", node.at, node.title.at, tuple(inside))
    elif declares and isinstance(name, syntax.Identifier):
        symbols = (Entry("symbol", s.text, "", s.at, s.at) for s in getattr(node, "symbols", ()))
        own = (*inside, *symbols)
        yield Entry(kind, name.text, _detail(node), node.at, name.at, own)  # type: ignore[attr-defined]
    else:
        yield from inside


def _detail(node: syntax.Node) -> str:
    match node:
        case syntax.FieldDecl(type=type) | syntax.TypeDecl(type=type):
            return type.at.text
        case syntax.Step(call=call):
            return call.callee.text
        case syntax.SagaDecl(result=syntax.TypeRef() as result):
            return f"-> {result.at.text}"
    return kind_of(node)
