"""Names where they stand."""

from __future__ import annotations

from dataclasses import dataclass

from dsl.source import Span
from dsl.syntax.node import Node


@dataclass(frozen=True, slots=True)
class Identifier(Node):
    """A name where it stands."""

    text: str
    at: Span


@dataclass(frozen=True, slots=True)
class Path(Node):
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
