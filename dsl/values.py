"""Values that exist while a flow runs."""

from __future__ import annotations

from typing import Any

import msgspec


class TypeValue(msgspec.Struct, frozen=True):
    """What `type(x)` gives: a type by the language's name for it."""

    name: str


class Struct(dict[str, Any]):
    """A record or a message: its fields by name, and the qualified name of its type.

    Treated as immutable; two are equal when their fields are, the checker having seen to types.
    """

    __slots__ = ("type",)

    def __init__(self, type: str, fields: dict[str, Any]) -> None:
        super().__init__(fields)
        self.type = type

    def __repr__(self) -> str:
        inside = ", ".join(f"{k}: {v!r}" for k, v in self.items())
        return f"{self.type}({inside})"
