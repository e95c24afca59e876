"""Alerts: what is wrong now, told once when it begins and once when it is over."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Turn(StrEnum):
    """What becomes of an alert."""

    RAISED = "raised"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that a person should know of: its `kind` (`lag`, `circuit`, `parked`), what it is
    about, and a sentence, which may differ from look to look."""

    kind: str
    subject: str
    text: str

    @property
    def id(self) -> str:
        """The same for everybody who sees it."""
        return hashlib.sha256(f"{self.kind}\n{self.subject}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class News:
    """An alert that began or ended; `since` is when it was seen first."""

    turn: Turn
    alert: Alert
    since: datetime

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "id": self.alert.id,
            "state": self.turn.value,
            "alert": self.alert.kind,
            "subject": self.alert.subject,
            "text": self.alert.text,
            "since": self.since.isoformat().replace("+00:00", "Z"),
        }


@dataclass(slots=True)
class _Present:
    alert: Alert
    since: datetime
    seen: float


class Alerts:
    """Those that are there. One counts as over when it was not seen for `calm` seconds, so that
    what comes and goes is told once."""

    def __init__(self, calm: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._calm = calm
        self._clock = clock
        self._present: dict[str, _Present] = {}

    @property
    def present(self) -> list[Alert]:
        """All that are not over."""
        return [p.alert for p in self._present.values()]

    def look(self, seen: Iterable[Alert]) -> list[News]:
        """What is new, when these are seen now."""
        now, news = self._clock(), []
        for alert in seen:
            known = self._present.get(alert.id)
            if known is None:
                known = self._present[alert.id] = _Present(alert, datetime.now(UTC), now)
                news.append(News(Turn.RAISED, alert, known.since))
            known.alert, known.seen = alert, now
        over = [i for i, p in self._present.items() if now - p.seen >= self._calm]
        for id in over:
            gone = self._present.pop(id)
            news.append(News(Turn.RESOLVED, gone.alert, gone.since))
        return news
