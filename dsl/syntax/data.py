"""Types, fields, and the declarations of data."""

from __future__ import annotations

from dataclasses import dataclass

from dsl.source import Span
from dsl.syntax.expressions import Expr
from dsl.syntax.names import Identifier, Path
from dsl.syntax.node import Node


@dataclass(frozen=True, slots=True)
class TypeRef(Node):
    """A type as written: a name with its arguments, `optional` when followed by `?`."""

    name: Path
    arguments: tuple[TypeRef, ...]
    optional: bool
    at: Span


@dataclass(frozen=True, slots=True)
class Number(Node):
    """`@3`; without a value when that cannot be read."""

    value: int | None
    at: Span


@dataclass(frozen=True, slots=True)
class FieldDecl(Node):
    """`name: type @number = default where constraint`."""

    name: Identifier
    type: TypeRef
    number: Number | None
    default: Expr | None
    constraint: Expr | None
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    """`name: type` of a saga or an activity."""

    name: Identifier
    type: TypeRef

    @property
    def at(self) -> Span:
        """The whole parameter."""
        return self.name.at.to(self.type.at)


@dataclass(frozen=True, slots=True)
class TypeDecl(Node):
    """`type Name = T`."""

    name: Identifier
    type: TypeRef
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class EnumDecl(Node):
    """`enum Name { A B }`."""

    name: Identifier
    symbols: tuple[Identifier, ...]
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class RecordDecl(Node):
    """`record Name { fields }`."""

    name: Identifier
    fields: tuple[FieldDecl, ...]
    doc: str
    at: Span
