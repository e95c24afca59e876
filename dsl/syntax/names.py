"""Names where they stand."""

from __future__ import annotations

from dsl.source import Span
from dsl.syntax.node import Node


class Identifier(Node, frozen=True):
    """A name where it stands."""

    text: str
    at: Span


class Path(Node, frozen=True):
    """A dotted name: `shop.contracts`, `inventory.ReserveStock`, `OutOfStock`."""

    parts: tuple[Identifier, ...]

    @property
    def text(self) -> str:
        """The name as it is written, without blanks."""
        return ".".join(p.text for p in self.parts)

    @property
    def at(self) -> Span:
        """From its first part to its last."""
        return self.parts[0].at.to(self.parts[-1].at)
