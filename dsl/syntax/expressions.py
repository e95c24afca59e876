"""Expressions, and what they are made of."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from dsl.source import Span
from dsl.syntax.names import Identifier, Path
from dsl.syntax.node import Node


class Literal(Node, frozen=True):
    """A constant: `"a"`, `b"a"`, `1`, `1.5`, `true`, `null`, `10s`, `20%` (a Decimal)."""

    value: str | bytes | bool | int | float | timedelta | Decimal | None
    at: Span


class Name(Node, frozen=True):
    """A bare name."""

    text: str
    at: Span


class Member(Node, frozen=True):
    """`of.name`."""

    of: Expr
    name: Identifier
    at: Span


class Index(Node, frozen=True):
    """`of[key]`."""

    of: Expr
    key: Expr
    at: Span


class Argument(Node, frozen=True):
    """One argument of a call; `name` is None for a positional one."""

    name: Identifier | None
    value: Expr

    @property
    def at(self) -> Span:
        """The whole argument."""
        return self.name.at.to(self.value.at) if self.name else self.value.at


class Call(Node, frozen=True):
    """`f(x)`, `x.f(y)` or, with named arguments, the building of a record or message."""

    callee: Expr
    arguments: tuple[Argument, ...]
    at: Span


class Unary(Node, frozen=True):
    """`!x` or `-x`."""

    operator: str
    operand: Expr
    at: Span


class Binary(Node, frozen=True):
    """`left operator right`; the operator as CEL writes it, `in` included."""

    operator: str
    left: Expr
    right: Expr
    at: Span


class Conditional(Node, frozen=True):
    """`condition ? then : otherwise`."""

    condition: Expr
    then: Expr
    otherwise: Expr
    at: Span


class ListLiteral(Node, frozen=True):
    """`[a, b]`."""

    items: tuple[Expr, ...]
    at: Span


class MapLiteral(Node, frozen=True):
    """`{k: v}`."""

    entries: tuple[tuple[Expr, Expr], ...]
    at: Span


Expr = (
    Literal | Name | Member | Index | Call | Unary | Binary | Conditional | ListLiteral | MapLiteral
)


class Invocation(Node, frozen=True):
    """A callee with its arguments."""

    callee: Path
    arguments: tuple[Argument, ...]
    at: Span
