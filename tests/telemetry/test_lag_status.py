"""What a lag means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.messaging.lag import LagMonitor, LagStatus, Limits, Observation

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = Limits(warning=60, error=300, still=10)


def observed(committed: int, age: float = 0.0, **more: Any) -> Observation:
    """A partition of 100 messages, the oldest unread one of which is so many seconds old."""
    fields = {"group": "g", "topic": "t", "partition": 0, "end": 100, **more}
    oldest = NOW - timedelta(seconds=age) if committed < 100 else None
    return Observation(committed=committed, oldest=oldest, **fields)


@pytest.mark.parametrize(
    ("first", "then", "status"),
    [
        (observed(100), observed(100), LagStatus.OK),
        (observed(10, 20), observed(20, 20), LagStatus.OK),
        (observed(10, 90), observed(20, 90), LagStatus.WARNING),
        (observed(10, 500), observed(20, 500), LagStatus.ERROR),
        (observed(10, 20), observed(10, 20), LagStatus.STALLED),
        (observed(10, 500), observed(10, 500), LagStatus.STALLED),
        (observed(10, 5), observed(10, 5), LagStatus.OK),
        (observed(10, 20), observed(20, 20, members=0), LagStatus.STALLED),
        (observed(100, members=0), observed(100, members=0), LagStatus.OK),
        (observed(50, 5), observed(20, 5), LagStatus.REWOUND),
    ],
)
def test_status(first: Observation, then: Observation, status: LagStatus) -> None:
    """By how long a message waits, and whether the group moves."""
    monitor = LagMonitor(LIMITS)
    monitor.judge([first], NOW - timedelta(seconds=LIMITS.still))
    [lag] = monitor.judge([then], NOW)
    assert lag.status is status
    assert lag.messages == 100 - then.committed


def test_a_group_that_goes_back_is_told_once() -> None:
    """From there it is judged as before."""
    monitor = LagMonitor(LIMITS)
    statuses = []
    for seconds, committed in enumerate((50, 20, 30)):
        at = NOW + timedelta(seconds=seconds)
        statuses.append(monitor.judge([observed(committed, 0)], at)[0].status)
    assert statuses == [LagStatus.OK, LagStatus.REWOUND, LagStatus.OK]
