"""Values for what a scenario does not name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from dsl.cel.nodes import Node
from dsl.model import FieldModel, Program
from dsl.types import ListOf, MapOf, Named, OneOf, Optional, Scalar, Type
from dsl.values import Struct

#: Any one will do, as long as it is always the same.
_UUID = UUID("00000000-0000-4000-8000-000000000001")


class Examples:
    """Makes messages of which only some fields are named. `evaluate` gives an expression's value,
    `now` the time."""

    def __init__(
        self, program: Program, evaluate: Callable[[Node], Any], now: Callable[[], datetime]
    ) -> None:
        self._program = program
        self._evaluate = evaluate
        self._now = now

    def message(self, name: str, named: Mapping[str, Any], like: Mapping[str, Any]) -> Struct:
        """A message: each field as it is named, else as `like` has it under the same name, else
        its default, else an example."""
        made = {}
        for field in self._program.record(name).fields:
            if field.name in named:
                made[field.name] = named[field.name]
            elif field.name in like and self._fits(like[field.name], field.type):
                made[field.name] = like[field.name]
            else:
                made[field.name] = self._field(field)
        return Struct(name, made)

    def of(self, type: Type, name: str = "example") -> Any:
        """An example of a type; a string is the name of what it is for."""
        match type:
            case Optional():
                return None
            case ListOf():
                return []
            case MapOf():
                return {}
            case Named(qualified) if qualified in self._program.enum_names:
                return self._program.enum(qualified).symbols[0]
            case Named(qualified) | OneOf((qualified, *_)):
                record = self._program.record(qualified)
                return Struct(qualified, {f.name: self._field(f) for f in record.fields})
            case Scalar.TIMESTAMP:
                return self._now()
            case Scalar.DATE:
                return self._now().date()
            case Scalar.STRING:
                return name
        return _SCALARS.get(type)

    def _field(self, field: FieldModel) -> Any:
        if field.default is not None:
            return self._evaluate(field.default)
        return self.of(field.type, field.name)

    def _fits(self, value: Any, type: Type) -> bool:
        """Whether a value is of a type, as far as two fields of one name may differ."""
        match type:
            case Optional(of):
                return value is None or self._fits(value, of)
            case ListOf():
                return isinstance(value, list)
            case MapOf():
                return isinstance(value, dict) and not isinstance(value, Struct)
            case Named(qualified) if qualified in self._program.enum_names:
                return value in self._program.enum(qualified).symbols
            case Named(qualified):
                return isinstance(value, Struct) and value.type == qualified
            case Scalar():
                return (
                    value is not None
                    and isinstance(value, _PYTHON.get(type, object))
                    and (type is Scalar.BOOL or not isinstance(value, bool))
                )
        return False


_SCALARS: dict[Type, Any] = {
    Scalar.INT: 1,
    Scalar.FLOAT: 1.0,
    Scalar.BOOL: True,
    Scalar.DECIMAL: Decimal(1),
    Scalar.BYTES: b"",
    Scalar.UUID: _UUID,
    Scalar.DURATION: timedelta(seconds=1),
}

_PYTHON: dict[Type, type] = {
    Scalar.STRING: str,
    Scalar.INT: int,
    Scalar.FLOAT: float,
    Scalar.BOOL: bool,
    Scalar.DECIMAL: Decimal,
    Scalar.BYTES: bytes,
    Scalar.UUID: UUID,
    Scalar.DURATION: timedelta,
}
