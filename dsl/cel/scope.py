"""What an expression may refer to while it is checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from dsl.cel.nodes import Node
from dsl.types import Named, Type


class FieldShape(msgspec.Struct, frozen=True):
    """A field of a record or message; `default` is None when it must be given, unless the type is
    optional (then null is meant)."""

    name: str
    type: Type
    default: Node | None = None


class Scope(Protocol):
    """The names that an expression sees. Qualified names are the strings inside `Named`;
    `how_to_name` says how a variable would come into sight."""

    how_to_name: str

    def variable(self, name: str) -> Type | None:
        """The type of a variable, None when there is none of that name."""

    def type_at(self, path: tuple[str, ...]) -> Named | None:
        """The record, message or enum that a dotted name means here."""

    def fields(self, qualified: str) -> tuple[FieldShape, ...] | None:
        """The fields of a record or message, in order; None for anything else."""

    def symbols(self, qualified: str) -> tuple[str, ...] | None:
        """The symbols of an enum, in order; None for anything else."""

    def enums_with(self, symbol: str) -> tuple[Named, ...]:
        """The visible enums that have this symbol."""

    def names(self) -> Iterable[str]:
        """Every variable in sight, for «did you mean»."""
