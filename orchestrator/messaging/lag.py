"""How far the readers of a topic are behind: in messages, in seconds, and what that means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class LagStatus(StrEnum):
    """What a lag means, from well to worst: it is small; a message waits for long, or for very
    long; nothing is read though something waits; the group went back and reads again."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    STALLED = "stalled"
    REWOUND = "rewound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A partition as a group has read it: the next offset to read, the end, and when the oldest
    message between was published (None without one). `members` is how many readers the group
    has."""

    group: str
    topic: str
    partition: int
    committed: int
    end: int
    oldest: datetime | None = None
    members: int = 1

    @property
    def place(self) -> tuple[str, str, int]:
        """What it is about."""
        return self.group, self.topic, self.partition


@dataclass(frozen=True, slots=True)
class Lag:
    """`messages` wait, the oldest for so many `seconds`."""

    group: str
    topic: str
    partition: int
    messages: int
    seconds: float
    status: LagStatus

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "group": self.group,
            "topic": self.topic,
            "partition": self.partition,
            "messages": self.messages,
            "seconds": round(self.seconds, 1),
            "status": self.status.value,
        }


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: a message that waits longer than `warning` or `error` is one; a group whose offset
    does not move for `still`, though a message has waited as long, has stalled."""

    warning: float = 60.0
    error: float = 300.0
    still: float = 10.0


@dataclass(slots=True)
class _Seen:
    offset: int
    since: datetime


@dataclass(slots=True)
class LagMonitor:
    """Judges one observation after the other: whether a group moves is seen from the second one
    on."""

    limits: Limits = field(default_factory=Limits)
    _seen: dict[tuple[str, str, int], _Seen] = field(default_factory=dict)

    def judge(self, observed: Iterable[Observation], now: datetime | None = None) -> list[Lag]:
        """One lag for each observation, in order of their places."""
        now = now or datetime.now(UTC)
        return [self._judge(each, now) for each in sorted(observed, key=lambda o: o.place)]

    def _judge(self, at: Observation, now: datetime) -> Lag:
        seen = self._seen.get(at.place)
        if seen is None or seen.offset != at.committed:
            self._seen[at.place] = _Seen(at.committed, now)
        messages = max(at.end - at.committed, 0)
        age = (now - at.oldest).total_seconds() if messages and at.oldest else 0.0
        age = max(age, 0.0)
        status = self._status(at, seen, messages, age, now)
        return Lag(at.group, at.topic, at.partition, messages, age, status)

    def _status(
        self, at: Observation, seen: _Seen | None, messages: int, age: float, now: datetime
    ) -> LagStatus:
        limits = self.limits
        if seen is not None and at.committed < seen.offset:
            return LagStatus.REWOUND
        if messages and age >= limits.still and (at.members == 0 or self._stands(at, seen, now)):
            return LagStatus.STALLED
        if age >= limits.error:
            return LagStatus.ERROR
        return LagStatus.WARNING if age >= limits.warning else LagStatus.OK

    def _stands(self, at: Observation, seen: _Seen | None, now: datetime) -> bool:
        if seen is None or seen.offset != at.committed:
            return False
        return (now - seen.since).total_seconds() >= self.limits.still
