"""Avro schemas made from declarations."""

from __future__ import annotations

from typing import Any

from dsl.model import EnumModel, RecordModel, wire_type
from dsl.types import ListOf, MapOf, Named, Optional, Scalar, Type
from orchestrator.messaging.codec import Types

#: Decimals and durations are texts: Avro's own kinds have a fixed scale, and months.
_SCALARS: dict[Scalar, Any] = {
    Scalar.STRING: "string",
    Scalar.INT: "long",
    Scalar.FLOAT: "double",
    Scalar.BOOL: "boolean",
    Scalar.DECIMAL: "string",
    Scalar.BYTES: "bytes",
    Scalar.UUID: {"type": "string", "logicalType": "uuid"},
    Scalar.DATE: {"type": "int", "logicalType": "date"},
    Scalar.TIMESTAMP: {"type": "long", "logicalType": "timestamp-micros"},
    Scalar.DURATION: "string",
}


def schema_of(types: Types, qualified: str) -> Any:
    """A message's schema, as JSON. It has the name of its wire type, so that a contract may move
    to another file. Raises KeyError for an unknown one."""
    return _Schema(types, qualified).root


def declared(types: Types, name: str) -> RecordModel | EnumModel:
    """A record, payload or enum. Raises KeyError."""
    try:
        return types.record(name)
    except KeyError:
        return types.enum(name)


class _Schema:
    def __init__(self, types: Types, qualified: str) -> None:
        self._types = types
        #: The names given so far: the first use of a type defines it, later ones name it.
        self._named = {qualified: wire_type(qualified)}
        self.root = self._fields(types.record(qualified))

    def _fields(self, model: RecordModel) -> Any:
        fields = []
        for field in model.fields:
            made = {"name": field.name, "type": self._type(field.type)}
            if isinstance(field.type, Optional) and field.default is None:
                made["default"] = None
            fields.append(made)
        # A list of what takes no bytes has no end that its reader can trust.
        fields = fields or [{"name": "_", "type": "boolean", "default": False}]
        return {"type": "record", "name": self._named[model.name], "fields": fields}

    def _type(self, type: Type) -> Any:
        match type:
            case Scalar():
                return _SCALARS[type]
            case Optional(of):
                return ["null", self._type(of)]
            case ListOf(item):
                return {"type": "array", "items": self._type(item)}
            case MapOf(_, item):
                return {"type": "map", "values": self._type(item)}
            case Named(name):
                return self._named.get(name) or self._definition(name)
        raise TypeError(f"{type} has no Avro form")

    def _definition(self, name: str) -> Any:
        taken = self._named.values()
        self._named[name] = f"{name}_" if name in taken else name
        model = declared(self._types, name)
        if isinstance(model, RecordModel):
            return self._fields(model)
        return {"type": "enum", "name": self._named[name], "symbols": list(model.symbols)}
