"""Looks on while a program is checked: for an editor; nobody looks on otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import NamedTuple

from dsl import syntax
from dsl.cel.scope import Scope
from dsl.source import Span
from dsl.types import Type


class Seen(NamedTuple):
    """An expression, its type (`any` when it has an error), and the names it could use: the
    scope's, and the variables of the macros around it."""

    expr: syntax.Expr
    type: Type
    scope: Scope
    locals: Mapping[str, Type]


class Observer:
    """What was seen: expressions by the identity of their nodes, and blocks with their scopes.

    A scope grows with its block; a name counts from where it is declared.
    """

    def __init__(self) -> None:
        self.expressions: dict[int, Seen] = {}
        self.blocks: list[tuple[Span, Scope]] = []

    def of(self, expr: object) -> Seen | None:
        """What was seen of an expression; None for one that was not reached."""
        return self.expressions.get(id(expr))


#: Who looks on while the checker runs in this context.
OBSERVER: ContextVar[Observer | None] = ContextVar("observer", default=None)
