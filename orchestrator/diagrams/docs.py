"""The doc comments of steps, which a plan leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dsl.model import (
    AwaitModel,
    ForModel,
    IfModel,
    MatchModel,
    ParallelModel,
    Place,
    RaceModel,
    Statement,
    StepModel,
    TryModel,
    WhileModel,
)


def docs(body: Iterable[Statement]) -> Iterator[tuple[Place, str]]:
    """Where each step stands, with its doc comment."""
    for part in body:
        if isinstance(part, StepModel):
            yield part.place, part.doc
        for inner in _inner(part):
            yield from docs(inner)


def _inner(part: Statement) -> list[tuple[Statement, ...]]:
    match part:
        case StepModel():
            return [h.body for h in part.handlers]
        case IfModel():
            return [part.then, part.otherwise]
        case MatchModel():
            return [*(c.body for c in part.cases), part.otherwise or ()]
        case WhileModel() | ForModel():
            return [part.body]
        case ParallelModel():
            return [b.body for b in part.branches]
        case RaceModel():
            return [*(a.body for a in part.arms), part.after]
        case AwaitModel():
            return [part.on_timeout or ()]
        case TryModel():
            return [part.body, *(h.body for h in part.handlers)]
    return []
