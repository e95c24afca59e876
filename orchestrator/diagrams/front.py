"""How far the walk over a plan has come."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out of a node."""

    node: str
    label: str = ""
    kind: str = "forward"


@dataclass(frozen=True, slots=True)
class Front:
    """The ways on, and the nodes that compensation would begin with if the saga failed here
    (several where ways have met, none after the pivot)."""

    exits: tuple[Exit, ...]
    undos: tuple[str, ...]
