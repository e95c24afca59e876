"""The names that expressions read."""

from __future__ import annotations

from typing import Any

from dsl.cel.nodes import Ref
from dsl.model import StepModel, contents


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
        else:
            left.extend(contents(part))
    return frozenset(names)
