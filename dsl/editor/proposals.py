"""What may be proposed, kind by kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from dsl import syntax
from dsl.check.names import Symbol
from dsl.editor.cursor import Cursor
from dsl.editor.declared import Declared, inputs, of_symbol
from dsl.editor.words import WORDS
from dsl.types import DECLARABLE


class Completion(msgspec.Struct, frozen=True):
    """One proposal: the text, what it is, a line about it, its doc, what is written for it when
    that is more than the text; `rank` sorts, 0 first."""

    label: str
    kind: str
    detail: str = ""
    doc: str = ""
    insert: str = ""
    rank: int = 5


def declared(found: Declared, rank: int = 2) -> Completion:
    """A declaration as a proposal."""
    doc: str = getattr(found.node, "doc", "")
    return Completion(found.name, found.kind, found.kind, doc, rank=rank)


def imports(cursor: Cursor, name: str, already: set[str]) -> Iterator[Completion]:
    """What a module declares, without what is imported already."""
    path = cursor.workspace.module_names(cursor.analysis.source.path).get(name)
    other = cursor.workspace.analysis(path) if path else None
    for symbol in other.module.own.values() if other else ():
        if symbol.declaration.name.text not in already:
            yield declared(of_symbol(symbol))


def modules(cursor: Cursor, prefix: str = "") -> Iterator[Completion]:
    """The other modules whose names begin so, without that beginning."""
    for name in cursor.workspace.module_names(cursor.analysis.source.path):
        if name.startswith(prefix):
            yield Completion(name[len(prefix) :], "module", rank=1)


def symbols(cursor: Cursor, *kinds: type[Any], rank: int = 2) -> Iterator[Completion]:
    """The names in sight that stand for these kinds of declarations."""
    for symbol in cursor.module.visible.values():
        if isinstance(symbol.declaration, kinds):
            yield declared(of_symbol(symbol), rank)


def services(cursor: Cursor) -> Iterator[tuple[str, Symbol, syntax.ServiceDecl]]:
    """The services in sight."""
    for name, symbol in cursor.module.visible.items():
        if isinstance(symbol.declaration, syntax.ServiceDecl):
            yield name, symbol, symbol.declaration


def commands(cursor: Cursor) -> Iterator[Completion]:
    """All commands of them."""
    for name, _, service in services(cursor):
        for c in service.commands:
            detail = " | ".join(r.text for r in c.replies)
            yield Completion(f"{name}.{c.name.text}", "command", f"→ {detail}", c.doc, rank=1)


def events(cursor: Cursor) -> Iterator[Completion]:
    """All events of them."""
    for name, _, service in services(cursor):
        for e in service.events:
            yield Completion(f"{name}.{e.name.text}", "event", "event", e.doc, rank=1)


def callees(cursor: Cursor) -> Iterator[Completion]:
    """What a step may call."""
    yield from commands(cursor)
    for symbol in cursor.module.visible.values():
        if type(symbol.declaration).__name__ in ("SagaDecl", "ActivityDecl"):
            yield declared(of_symbol(symbol))


def awaited(cursor: Cursor) -> Iterator[Completion]:
    """What may be waited for: signals of the saga, events."""
    yield from signals(cursor)
    yield from events(cursor)


def signals(cursor: Cursor) -> Iterator[Completion]:
    """The signals of the saga there."""
    for signal in cursor.signals():
        yield declared(signal, rank=0)


def own_events(cursor: Cursor) -> Iterator[Completion]:
    """The events of the service around the cursor, then all others."""
    for declaration in cursor.module.file.declarations:
        inside = declaration.at.start < cursor.place.start <= declaration.at.end + 1
        if isinstance(declaration, syntax.ServiceDecl) and inside:
            for e in declaration.events:
                yield Completion(e.name.text, "event", "event", e.doc, rank=1)
    yield from events(cursor)


def fields(cursor: Cursor) -> Iterator[Completion]:
    """The fields of the message or the table that the cursor is in the head of."""
    owner = cursor.node_around(
        syntax.CommandDecl, syntax.EventDecl, syntax.AggregateDecl, syntax.ProjectionDecl
    )
    for part in inputs(owner) if owner else ():
        yield Completion(part.name.text, "field", part.type.at.text, part.doc, rank=0)


def types(cursor: Cursor) -> Iterator[Completion]:
    """Everything that names a type."""
    for name in (*DECLARABLE, "list", "map"):
        yield Completion(name, "type", doc=WORDS.get(name, ""), rank=3)
    yield from symbols(cursor, syntax.RecordDecl, syntax.EnumDecl, syntax.TypeDecl)
