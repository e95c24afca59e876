"""What every part of the model is, and where it was written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A part that stored plans hold too, and so is read from text: frozen, and closed to unknown
    fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part that only the checker makes."""


class Place(Model):
    """Where a statement stands: the file as the user named it, 1-based line and column."""

    file: str
    line: int
    column: int


def contents(part: Any) -> Iterable[Any]:
    """What a part of a model, a plan or an expression holds, one level down."""
    if isinstance(part, BaseModel):
        return part.__dict__.values()
    if isinstance(part, Part):
        return [getattr(part, name) for name in part.__struct_fields__]
    if isinstance(part, dict):
        return part.values()
    return part if isinstance(part, list | tuple) else ()


def walk(part: Any) -> Iterator[Any]:
    """A part and everything inside it, however deep it is."""
    left = [part]
    while left:
        part = left.pop()
        yield part
        left.extend(contents(part))
