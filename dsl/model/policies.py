"""Policies: what a step is granted, and the limits of what it talks to."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from dsl.model.part import Part


class Retry(Part, frozen=True, kw_only=True):
    """How often and how soon to try again. `attempts` counts the first one; the wait before
    attempt n+1 is `min(initial * factor**(n-1), maximum)`, made longer by up to the share
    `jitter`."""

    attempts: int = 1
    initial: timedelta = timedelta(seconds=1)
    factor: float = 1.0
    maximum: timedelta | None = None
    jitter: float = 0.0


class Exhausted(StrEnum):
    """What follows when a step's attempts are used up: the saga fails and compensates, or it waits
    for a person's decision."""

    COMPENSATE = "compensate"
    PARK = "park"


class Order(StrEnum):
    """What the later messages of a key do while one waits for a retry: wait behind it, hold the
    whole partition, or go on."""

    ORDERED = "ordered"
    BLOCKING = "blocking"
    UNORDERED = "unordered"


class Overflow(StrEnum):
    """What happens to messages beyond the limits: the sender waits, they are dropped, or kept."""

    BLOCK = "block"
    SHED = "shed"
    BUFFER = "buffer"


class Breaker(Part, frozen=True, kw_only=True):
    """Opens after `failures` within a time, and lets one attempt through after `open_for`."""

    failures: int
    within: timedelta
    open_for: timedelta


class RateLimit(Part, frozen=True, kw_only=True):
    """So many messages in each time."""

    count: int
    per: timedelta


class PolicyModel(Part, frozen=True, kw_only=True):
    """What a step is granted: `timeout` for each attempt, `retry`, and the topic that takes the
    command when all attempts are used up, and the limits of what it talks to."""

    name: str = ""
    timeout: timedelta = timedelta(seconds=10)
    retry: Retry = Retry()
    dead_letter: str | None = None
    exhausted: Exhausted = Exhausted.COMPENSATE
    order: Order = Order.ORDERED
    circuit_breaker: Breaker | None = None
    rate_limit: RateLimit | None = None
    max_in_flight: int | None = None
    overflow: Overflow = Overflow.BLOCK
    doc: str = ""
