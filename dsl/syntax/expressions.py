"""Expressions, and what they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from dsl.source import Span
from dsl.syntax.names import Identifier, Path
from dsl.syntax.node import Node


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant: `"a"`, `b"a"`, `1`, `1.5`, `true`, `null`, `10s`, `20%` (a Decimal)."""

    value: str | bytes | bool | int | float | timedelta | Decimal | None
    at: Span


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A bare name."""

    text: str
    at: Span


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`of.name`."""

    of: Expr
    name: Identifier
    at: Span


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`of[key]`."""

    of: Expr
    key: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class Argument(Node):
    """One argument of a call; `name` is None for a positional one."""

    name: Identifier | None
    value: Expr

    @property
    def at(self) -> Span:
        """The whole argument."""
        return self.name.at.to(self.value.at) if self.name else self.value.at


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`f(x)`, `x.f(y)` or, with named arguments, the building of a record or message."""

    callee: Expr
    arguments: tuple[Argument, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`!x` or `-x`."""

    operator: str
    operand: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """`left operator right`; the operator as CEL writes it, `in` included."""

    operator: str
    left: Expr
    right: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`condition ? then : otherwise`."""

    condition: Expr
    then: Expr
    otherwise: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class ListLiteral(Node):
    """`[a, b]`."""

    items: tuple[Expr, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class MapLiteral(Node):
    """`{k: v}`."""

    entries: tuple[tuple[Expr, Expr], ...]
    at: Span


Expr = (
    Literal | Name | Member | Index | Call | Unary | Binary | Conditional | ListLiteral | MapLiteral
)


@dataclass(frozen=True, slots=True)
class Invocation(Node):
    """A callee with its arguments."""

    callee: Path
    arguments: tuple[Argument, ...]
    at: Span
