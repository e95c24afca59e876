"""Types, fields, and the declarations of data."""

from __future__ import annotations

from dsl.source import Span
from dsl.syntax.expressions import Expr
from dsl.syntax.names import Identifier, Path
from dsl.syntax.node import Node


class TypeRef(Node, frozen=True):
    """A type as written: a name with its arguments, `optional` when followed by `?`."""

    name: Path
    arguments: tuple[TypeRef, ...]
    optional: bool
    at: Span


class Number(Node, frozen=True):
    """`@3`; without a value when that cannot be read."""

    value: int | None
    at: Span


class FieldDecl(Node, frozen=True):
    """`name: type @number = default where constraint`."""

    name: Identifier
    type: TypeRef
    number: Number | None
    default: Expr | None
    constraint: Expr | None
    doc: str
    at: Span


class Parameter(Node, frozen=True):
    """`name: type` of a saga or an activity."""

    name: Identifier
    type: TypeRef

    @property
    def at(self) -> Span:
        """The whole parameter."""
        return self.name.at.to(self.type.at)


class TypeDecl(Node, frozen=True):
    """`type Name = T`."""

    name: Identifier
    type: TypeRef
    doc: str
    at: Span


class EnumDecl(Node, frozen=True):
    """`enum Name { A B }`."""

    name: Identifier
    symbols: tuple[Identifier, ...]
    doc: str
    at: Span


class RecordDecl(Node, frozen=True):
    """`record Name { fields }`."""

    name: Identifier
    fields: tuple[FieldDecl, ...]
    doc: str
    at: Span
