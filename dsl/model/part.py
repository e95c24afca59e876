"""What every part of the model is, and where it was written."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import CoreSchema, core_schema


class Model(BaseModel):
    """Frozen, and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Made:
    """Marks statements as made by the checker: a saga's model is never read from text, and working
    out for each class what may stand inside it would cost every start of the program 40 ms."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.any_schema()


class Place(Model):
    """Where a statement stands: the file as the user named it, 1-based line and column."""

    file: str
    line: int
    column: int
