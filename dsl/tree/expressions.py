"""Expressions."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from dsl import syntax
from dsl.source import Span
from dsl.tree.builder import Builder


class Expressions(Builder):
    """Builds expressions."""

    def conditional(self, at: Span, c: list[Any]) -> syntax.Conditional:
        return syntax.Conditional(c[0], c[2], c[3], at)

    def binary(self, at: Span, c: list[Any]) -> syntax.Binary:
        return syntax.Binary(c[1].text, c[0], c[2], at)

    def unary(self, at: Span, c: list[Any]) -> syntax.Expr:
        operator, operand = c[0].text, c[1]
        # -9223372036854775808 has no positive twin, so the sign belongs to the number.
        if (
            operator == "-"
            and isinstance(operand, syntax.Literal)
            and type(operand.value) in (int, float)
            and operand.at.start == at.start + 1
            and not operand.at.text.startswith("(")
        ):
            return syntax.Literal(-operand.value, at)  # type: ignore[operator]
        return syntax.Unary(operator, operand, at)

    def named_argument(self, at: Span, c: list[Any]) -> syntax.Argument:
        return syntax.Argument(c[0], c[1])

    def positional_argument(self, at: Span, c: list[Any]) -> syntax.Argument:
        return syntax.Argument(None, c[0])

    def grouped(self, at: Span, c: list[Any]) -> syntax.Expr:
        return replace(c[0], at=at)  # type: ignore[no-any-return]

    def name_expr(self, at: Span, c: list[Any]) -> syntax.Name:
        return syntax.Name(c[0].text, c[0].at)
