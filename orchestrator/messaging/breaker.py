"""A circuit breaker: what fails again and again is left alone for a while, then tried once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from enum import IntEnum

#: Seconds after which to ask again how a probe went.
_ASK_AGAIN = 1.0


class Circuit(IntEnum):
    """What a breaker lets through: everything; one probe, which is under way; nothing."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Breaker:
    """Opens after `failures` within the last `within` seconds. When it has been open for `open_for`
    seconds one attempt is let through: its success closes the circuit, its failure opens it anew.
    Attempts that were under way when it opened change nothing any more."""

    def __init__(
        self,
        failures: int,
        within: float,
        open_for: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._within = within
        self._open_for = open_for
        self._clock = clock
        self._failed: deque[float] = deque(maxlen=failures)
        self._until = 0.0
        self._era = 0
        self.circuit = Circuit.CLOSED
        self._left: float | None = None

    def wait(self) -> float:
        """Seconds until an attempt may be let through; 0: now. While a probe is under way nobody
        knows: then it is a short time after which to ask again."""
        if self.circuit is Circuit.CLOSED:
            return 0.0
        if self.circuit is Circuit.HALF_OPEN:
            return min(self._open_for, _ASK_AGAIN)
        return max(self._until - self._clock(), 0.0)

    @property
    def wants_probe(self) -> bool:
        """Whether one that begins now is the probe."""
        return self.circuit is Circuit.OPEN and not self.wait()

    def begin(self) -> int:
        """Lets an attempt through, for which `wait` is 0; what is given goes to one of the
        others."""
        if self.circuit is Circuit.OPEN:
            self._turn(Circuit.HALF_OPEN)
        return self._era

    def succeeded(self, attempt: int) -> None:
        """It got an answer."""
        if attempt == self._era and self.circuit is Circuit.HALF_OPEN:
            self._failed.clear()
            self._turn(Circuit.CLOSED)

    def failed(self, attempt: int) -> None:
        """It got none."""
        if attempt != self._era:
            return
        now = self._clock()
        self._failed.append(now)
        full = len(self._failed) == self._failed.maxlen
        often = full and now - self._failed[0] <= self._within
        if often or self.circuit is Circuit.HALF_OPEN:
            self._until = now + self._open_for
            self._turn(Circuit.OPEN)

    def dropped(self, attempt: int) -> None:
        """It ended without telling anything; a probe like that is followed by another."""
        if attempt == self._era and self.circuit is Circuit.HALF_OPEN:
            self._until = self._clock()
            self._turn(Circuit.OPEN)

    @property
    def troubled(self) -> float:
        """Seconds since it was closed the last time; 0 while it is."""
        return 0.0 if self._left is None else self._clock() - self._left

    def _turn(self, to: Circuit) -> None:
        self._era += 1
        if to is Circuit.CLOSED:
            self._left = None
        elif self._left is None:
            self._left = self._clock()
        self.circuit = to
