"""Which texts are symbols of an enum: at run time they are texts like any other."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from dsl.model import Program
from dsl.types import ListOf, MapOf, Named, OneOf, Optional, Type
from dsl.values import Struct


class Symbol(str):
    """A symbol, which a flow writes without quotes; else it is the text that it is."""

    __slots__ = ()


class Symbols:
    """Finds them by the types that a program declares."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def inside(self, payload: Struct) -> Struct:
        """A record, a message or what a callee is given, with its symbols marked."""
        types = self._types(payload.type)
        return Struct(payload.type, {n: self.of(v, types.get(n)) for n, v in payload.items()})

    def result(self, callee: str, value: Any) -> Any:
        """What an activity or a saga gave, with its symbols marked."""
        for find in (self._program.activity, self._program.saga):
            with suppress(KeyError):
                return self.of(value, find(callee).result)
        return value

    def of(self, value: Any, type: Type | None) -> Any:
        """A value of a type, with its symbols marked."""
        match type:
            case Optional(of):
                return self.of(value, of)
            case Named(name) if name in self._program.enum_names and isinstance(value, str):
                return Symbol(value)
            case ListOf(item) if isinstance(value, list | tuple):
                return [self.of(v, item) for v in value]
            case MapOf(key, item) if isinstance(value, Mapping):
                return {self.of(k, key): self.of(v, item) for k, v in value.items()}
            case Named() | OneOf() if isinstance(value, Struct):
                return self.inside(value)
        return value

    def _types(self, name: str) -> Mapping[str, Type]:
        program = self._program
        with suppress(KeyError):
            return {f.name: f.type for f in program.record(name).fields}
        for find in (program.activity, program.saga):
            with suppress(KeyError):
                return {p.name: p.type for p in find(name).parameters}
        return {}
