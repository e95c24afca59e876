"""Where one running saga stands, for colouring its diagram."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """What became of a step. `UNDONE` means that it had completed and its undo has too."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"
    PARKED = "needs attention"


@dataclass(frozen=True, slots=True)
class StepState:
    """A step of one instance; `attempts` counts the first one, `note` is a few words (a failure's
    name, say)."""

    status: Status
    attempts: int = 0
    note: str = ""

    @property
    def text(self) -> str:
        """For people: `failed · 3 attempts · no answer`."""
        attempts = f"{self.attempts} attempts" if self.attempts > 1 else ""
        return " · ".join(part for part in (self.status.value, attempts, self.note) if part)
