"""What a person decides in a scenario about what is parked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dsl.cel.nodes import Node
from dsl.model import DecisionModel
from orchestrator.runtime.effects import Command, Decision
from orchestrator.testing.uses import Uses, delay_of, uses


@dataclass(frozen=True, slots=True)
class _Given:
    """A decision, made `delay` seconds after a call was parked."""

    uses: Uses
    decision: Decision
    delay: float


class Decisions:
    """The first given that fits and is not used up counts. Raises CelError for one that has no
    value."""

    def __init__(self, givens: Sequence[DecisionModel], evaluate: Callable[[Node], Any]) -> None:
        self._givens = [
            _Given(
                uses(g.subject, g.times, evaluate),
                Decision(g.decision),
                delay_of(g.delay, evaluate),
            )
            for g in givens
        ]

    def on(self, command: Command) -> tuple[Decision, float] | None:
        """What is decided about a parked call, and after how long; None when nobody does."""
        given = next((g for g in self._givens if g.uses.take(command)), None)
        return (given.decision, given.delay) if given else None
