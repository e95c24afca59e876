"""The names that expressions read."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from dsl.cel.nodes import Ref


def names_read(part: Any) -> frozenset[str]:
    """The names that the expressions inside a part of a model or a plan read, those of a macro's
    own variables among them."""
    names, left = set(), [part]
    while left:
        part = left.pop()
        if isinstance(part, Ref):
            names.add(part.name)
        elif isinstance(part, BaseModel):
            left.extend(value for _, value in part)
        elif isinstance(part, dict):
            left.extend(part.values())
        elif isinstance(part, list | tuple):
            left.extend(part)
    return frozenset(names)
