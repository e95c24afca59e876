"""How often a given may be used, and for which calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dsl.cel.nodes import Node
from dsl.model import PatternModel
from orchestrator.runtime.effects import Command


@dataclass(slots=True)
class Uses:
    """The calls of `name` whose arguments have these values; `left` is how many of them, None:
    all."""

    name: str
    only: dict[str, Any]
    left: int | None

    def take(self, command: Command) -> bool:
        """Whether it is for this call too; then it is used once more."""
        if self.left == 0 or self.name != command.name:
            return False
        if any(command.arguments[name] != value for name, value in self.only.items()):
            return False
        if self.left is not None:
            self.left -= 1
        return True


def uses(subject: PatternModel, times: int | None, evaluate: Callable[[Node], Any]) -> Uses:
    """With its values, at the start of the scenario. Raises CelError."""
    only = {name: evaluate(node) for name, node in subject.fields.items()}
    return Uses(subject.name, only, times)


def delay_of(node: Node | None, evaluate: Callable[[Node], Any]) -> float:
    """Seconds, none when nothing is said. Raises CelError."""
    return max(0.0, float(evaluate(node).total_seconds())) if node is not None else 0.0
