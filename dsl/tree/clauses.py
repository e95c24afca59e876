"""What a rule leaves to the one that holds it, and how that takes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from dsl import syntax
from dsl.source import Span

T = TypeVar("T")


class Clause(msgspec.Struct, frozen=True):
    """A clause, until its declaration takes it."""

    word: str
    content: Any
    at: Span


class Group(tuple[Any, ...]):
    """Several nodes in a pair of brackets, until their owner takes them."""

    at: Span

    def __new__(cls, items: Iterable[Any], at: Span) -> Group:
        made = super().__new__(cls, items)
        made.at = at
        return made


def of_kind(children: Sequence[Any], kind: type[T]) -> tuple[T, ...]:
    """Those of a kind."""
    return tuple(c for c in children if isinstance(c, kind))


def first(children: Sequence[Any], kind: type[T]) -> T | None:
    """The first of a kind."""
    return next((c for c in children if isinstance(c, kind)), None)


def group(children: Sequence[Any]) -> tuple[Any, ...]:
    """What stands in the first pair of brackets."""
    return first(children, Group) or ()


def content(children: Sequence[Any]) -> Any:
    """What the only clause says."""
    clause = first(children, Clause)
    return clause.content if clause else None


def contents(children: Sequence[Any]) -> dict[str, Any]:
    """What each clause says, by its word."""
    return {c.word: c.content for c in of_kind(children, Clause)}


def named(children: Sequence[Any]) -> syntax.Identifier | None:
    """The name behind an `as`."""
    return first(children, syntax.Identifier)
