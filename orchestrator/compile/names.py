"""The names that expressions read."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from dsl.cel.nodes import Ref
from dsl.model import StepModel


def names_read(part: Any) -> frozenset[str]:
    """The names that the expressions inside a part of a model or a plan read, those of a macro's
    own variables among them; of a model's steps, what their own undos read of them is left out:
    that is asked for anew where it is missing."""
    names, left = set[str](), [part]
    while left:
        part = left.pop()
        if isinstance(part, Ref):
            names.add(part.name)
        elif isinstance(part, StepModel):
            names |= names_read((part.undo, part.undo_body)) - {part.name}
            left.extend((part.call, part.handlers))
        elif isinstance(part, BaseModel):
            left.extend(value for _, value in part)
        elif isinstance(part, dict):
            left.extend(part.values())
        elif isinstance(part, list | tuple):
            left.extend(part)
    return frozenset(names)
