"""What is to be undone, in the order it was done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orchestrator.compile.plan import StepPlan


@dataclass(slots=True)
class Undo:
    """A step's undo with the values it was done with. `known` tells that the step answered; else
    its outcome is unknown."""

    step: StepPlan
    env: dict[str, Any]
    known: bool


@dataclass(slots=True)
class Undos:
    """A stack of undos; an entry that is a list holds the stacks of parallel branches."""

    entries: list[Undo | list[Undos]] = field(default_factory=list)

    def push(self, entry: Undo | list[Undos]) -> None:
        """Adds what was done last."""
        self.entries.append(entry)

    def pop(self) -> Undo | list[Undos] | None:
        """Takes what was done last; None when nothing is left."""
        return self.entries.pop() if self.entries else None
