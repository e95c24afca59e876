"""States made of events: aggregates and projections."""

from __future__ import annotations

from dsl.source import Span
from dsl.syntax.data import FieldDecl
from dsl.syntax.expressions import Expr, Literal
from dsl.syntax.names import Identifier, Path
from dsl.syntax.node import Node
from dsl.syntax.statements import Set


class Reaction(Node, frozen=True):
    """`on Event as e for row when condition { set … }` of an aggregate or a projection."""

    event: Path
    name: Identifier | None
    row: Expr | None
    condition: Expr | None
    sets: tuple[Set, ...]
    at: Span


class AggregateDecl(Node, frozen=True):
    """`aggregate Name key k snapshot every n buffer n within time { fields, reactions }`."""

    name: Identifier
    key: Identifier
    snapshot: Literal | None
    buffer: Literal | None
    within: Expr | None
    fields: tuple[FieldDecl, ...]
    reactions: tuple[Reaction, ...]
    doc: str
    at: Span


class ProjectionDecl(Node, frozen=True):
    """`projection Name key k { columns, reactions }`."""

    name: Identifier
    key: Identifier
    fields: tuple[FieldDecl, ...]
    reactions: tuple[Reaction, ...]
    doc: str
    at: Span
