"""What every part of the tree is, and the ways through it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dsl.source import Span


class Node(msgspec.Struct, frozen=True):
    """A part of the tree, which holds its parts alone or in tuples."""


def children(node: Node) -> Iterator[Node]:
    """The nodes right inside one, in the order of its fields."""
    for name in node.__struct_fields__:
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
