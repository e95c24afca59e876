"""How long an event waits for its next attempt."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

from dsl.model import PolicyModel, Retry

#: Where a policy names no longest wait, in seconds; and for a service without a policy.
_LONGEST_WAIT = 30.0
_RETRY = Retry(attempts=5, initial=timedelta(milliseconds=500), factor=2.0)

#: Delays that have a topic of their own.
_MOST_DELAYS = 8


def retry_of(policy: PolicyModel | None) -> Retry:
    """How often, and how soon, an event is tried again."""
    return _RETRY if policy is None else policy.retry


def wait_after(retry: Retry, attempt: int) -> float:
    """Seconds between an attempt (from 1 on) and the next."""
    return _backoff(retry, attempt) * (1 + retry.jitter * random.random())


def delays(retry: Retry) -> list[float]:
    """The delays that get a topic, the shortest first: those between the attempts without their
    jitter, or some of them when they are many."""
    found: list[float] = []
    for attempt in range(1, min(retry.attempts, 1000)):
        delay = round(_backoff(retry, attempt), 3)
        if not found or delay > found[-1]:
            found.append(delay)
    if len(found) <= _MOST_DELAYS:
        return found
    step = (len(found) - 1) / (_MOST_DELAYS - 1)
    return [found[round(n * step)] for n in range(_MOST_DELAYS)]


def delay_for(delays: Sequence[float], wait: float) -> float:
    """The longest of some delays that is no longer than a wait, else the shortest: nobody waits
    long behind one that has to wait longer."""
    return max((d for d in delays if d <= wait + 0.001), default=delays[0])


def _backoff(retry: Retry, attempt: int) -> float:
    longest = _LONGEST_WAIT if retry.maximum is None else retry.maximum.total_seconds()
    # Before the power: of a large one there is no float.
    steps = min(attempt - 1, 64)
    return float(min(retry.initial.total_seconds() * retry.factor**steps, longest))
