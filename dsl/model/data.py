"""Fields, records, enums, parameters."""

from __future__ import annotations

from dsl.cel.nodes import Node
from dsl.model.part import Model
from dsl.types import TypeField


class FieldModel(Model):
    """A field; without a default and not optional, it must be given. `constraint` is a boolean
    expression over the fields of its record."""

    name: str
    type: TypeField
    number: int | None = None
    default: Node | None = None
    constraint: Node | None = None
    constraint_text: str = ""
    doc: str = ""


class RecordModel(Model):
    """A record, or the payload of a message."""

    name: str
    fields: tuple[FieldModel, ...]
    doc: str = ""


class EnumModel(Model):
    """An enum; on the wire its symbol."""

    name: str
    symbols: tuple[str, ...]
    doc: str = ""


class ParameterModel(Model):
    """A parameter of a saga or an activity."""

    name: str
    type: TypeField
