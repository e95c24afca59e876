"""What is to be undone, in the order it was done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orchestrator.compile.plan import StepPlan
from orchestrator.runtime.effects import Command
from orchestrator.runtime.env import Env


@dataclass(slots=True)
class Undo:
    """A step's undo with the names as they were when the step began. `known` tells that the step
    answered; else its outcome is unknown, and its command may be sent once more as it was. `child`
    is what a called saga has to undo, as JSON."""

    step: StepPlan
    command: Command
    env: Env
    known: bool
    child: Any = None


@dataclass(slots=True)
class Undos:
    """A stack of undos. An entry that is a stack is undone as one; a list holds the stacks of
    parallel branches."""

    entries: list[Undo | Undos | list[Undos]] = field(default_factory=list)

    def push(self, entry: Undo | Undos | list[Undos]) -> None:
        """Adds what was done last."""
        self.entries.append(entry)

    def clear(self) -> None:
        """Forgets all of it: from here on the saga only goes forward."""
        self.entries.clear()

    def pop(self) -> Undo | Undos | list[Undos] | None:
        """Takes what was done last; None when nothing is left."""
        return self.entries.pop() if self.entries else None
