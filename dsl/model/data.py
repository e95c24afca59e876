"""Fields, records, enums, parameters."""

from __future__ import annotations

from dataclasses import dataclass

from dsl.cel.nodes import Node
from dsl.stored import Stored
from dsl.types import TypeField


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldModel(Stored):
    """A field; without a default and not optional, it must be given. `constraint` is a boolean
    expression over the fields of its record."""

    name: str
    type: TypeField
    number: int | None = None
    default: Node | None = None
    constraint: Node | None = None
    constraint_text: str = ""
    doc: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordModel(Stored):
    """A record, or the payload of a message."""

    name: str
    fields: tuple[FieldModel, ...]
    doc: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class EnumModel(Stored):
    """An enum; on the wire its symbol."""

    name: str
    symbols: tuple[str, ...]
    doc: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterModel(Stored):
    """A parameter of a saga or an activity."""

    name: str
    type: TypeField
