"""What every part of the model is, and where it was written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from dsl.stored import Stored


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part that only the checker makes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place(Stored):
    """Where a statement stands: the file as the user named it, 1-based line and column."""

    file: str
    line: int
    column: int


def contents(part: Any) -> Iterable[Any]:
    """What a part of a model, a plan or an expression holds, one level down."""
    if isinstance(part, Part):
        return [getattr(part, name) for name in part.__struct_fields__]
    if isinstance(part, Stored):
        return [getattr(part, name) for name in part.__slots__]
    if isinstance(part, dict):
        return part.values()
    if isinstance(part, list | tuple):
        return part
    # A plan's parts are pydantic's models, which nobody has without having loaded it.
    return vars(part).values() if hasattr(part, "__pydantic_fields_set__") else ()


def walk(part: Any) -> Iterator[Any]:
    """A part and everything inside it, however deep it is."""
    left = [part]
    while left:
        part = left.pop()
        yield part
        left.extend(contents(part))
