"""What a saga did in a scenario, in order, with virtual times."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dsl.values import Struct


class Event(StrEnum):
    """What an entry tells."""

    SENT = "sent"
    PUBLISHED = "published"
    ANSWERED = "answered"
    FAILED = "failed"
    SILENT = "silent"
    ARRIVED = "arrived"
    BURIED = "buried"
    NOTE = "note"


@dataclass(slots=True)
class Entry:
    """One line of a course: seconds since the start, and a sentence. `message` is what was sent or
    published, `path` the step's."""

    at: float
    event: Event
    text: str
    message: Struct | None = None
    path: str = ""


class End(StrEnum):
    """How a scenario's saga ended, or why it did not."""

    RETURNED = "returned"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PARKED = "parked"
    WAITING = "waiting"
    ENDLESS = "endless"
    NOT_STARTED = "not started"


@dataclass(slots=True)
class Course:
    """All of it. `reason` is a failure's, or what the saga waits for; `at` when it ended."""

    entries: list[Entry] = field(default_factory=list)
    end: End = End.WAITING
    result: Any = None
    reason: str = ""
    at: float = 0.0

    @property
    def messages(self) -> list[Entry]:
        """What the saga sent, in order."""
        return [e for e in self.entries if e.message is not None]

    @property
    def ended(self) -> bool:
        """Whether the saga came to an end of its own."""
        return self.end in (End.RETURNED, End.FAILED, End.CANCELLED)
