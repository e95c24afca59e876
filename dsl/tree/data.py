"""Types, fields and declarations of data."""

from __future__ import annotations

from typing import Any

from dsl import literal, syntax
from dsl.lexer import Token
from dsl.source import Span
from dsl.tree.builder import Builder
from dsl.tree.clauses import Clause, contents, group, of_kind


class Data(Builder):
    """Builds data."""

    def type_decl(self, at: Span, c: list[Any]) -> syntax.TypeDecl:
        return syntax.TypeDecl(c[0], c[1], self._doc(at), at)

    def enum_decl(self, at: Span, c: list[Any]) -> syntax.EnumDecl:
        return syntax.EnumDecl(c[0], tuple(c[1:]), self._doc(at), at)

    def record_decl(self, at: Span, c: list[Any]) -> syntax.RecordDecl:
        return syntax.RecordDecl(c[0], c[1], self._doc(at), at)

    def field(self, at: Span, c: list[Any]) -> syntax.FieldDecl:
        clauses = contents(c)
        return syntax.FieldDecl(
            c[0],
            c[1],
            clauses.get("number"),
            clauses.get("default"),
            clauses.get("constraint"),
            self._doc(at),
            at,
        )

    def number(self, at: Span, c: list[Token]) -> Clause:
        value = self.constant(at, literal.read_int, c[0].text).value
        return Clause("number", syntax.Number(value if type(value) is int else None, at), at)

    def type_ref(self, at: Span, c: list[Any]) -> syntax.TypeRef:
        return syntax.TypeRef(c[0], of_kind(group(c), syntax.TypeRef), isinstance(c[-1], Token), at)
