"""States made of events: aggregates and projections."""

from __future__ import annotations

from datetime import timedelta

from dsl.cel.nodes import Node
from dsl.model.data import FieldModel
from dsl.model.part import Part, Place
from dsl.types import TypeField


class AssignModel(Part, frozen=True, kw_only=True):
    """A new value for a field of a state."""

    name: str
    value: Node


class ReactionModel(Part, frozen=True, kw_only=True):
    """What an event makes of a state: of an aggregate's when the condition holds, of the row of a
    projection that `row` names (without it the event's field of the key's name)."""

    event: str
    name: str | None = None
    row: Node | None = None
    condition: Node | None = None
    text: str = ""
    sets: tuple[AssignModel, ...] = ()
    place: Place


class AggregateModel(Part, frozen=True, kw_only=True):
    """A state made of the events of a key. Early events wait in a buffer: so many, so long."""

    name: str
    key: str
    key_type: TypeField
    fields: tuple[FieldModel, ...]
    reactions: tuple[ReactionModel, ...]
    snapshot_every: int | None = None
    buffer: int | None = None
    within: timedelta | None = None
    doc: str = ""
    place: Place


class ProjectionModel(Part, frozen=True, kw_only=True):
    """A table made of events; `key` is one of its columns."""

    name: str
    key: str
    columns: tuple[FieldModel, ...]
    reactions: tuple[ReactionModel, ...]
    doc: str = ""
    place: Place
