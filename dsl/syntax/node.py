"""What every part of the tree is, and the ways through it."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.source import Span


class Node:
    """A part of the tree: a frozen dataclass, which holds its parts alone or in tuples."""

    __slots__ = ()
    #: The names of its fields, which dataclasses set.
    __match_args__: tuple[str, ...] = ()


def children(node: Node) -> Iterator[Node]:
    """The nodes right inside one, in the order of its fields."""
    for name in node.__match_args__:
        yield from _flat(getattr(node, name))


def walk(node: Node) -> Iterator[Node]:
    """A node and everything inside it, however deep it is."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(children(current))


def _flat(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple) and not isinstance(value, Span):
        for item in value:
            yield from _flat(item)
