"""A limit of a rate, as a token bucket that says when the next one is due."""

from __future__ import annotations

import time
from collections.abc import Callable


class Rate:
    """At most `count` in any `per` seconds' worth of tokens: as many at once after a rest, and
    evenly when more come. By virtual scheduling: no tokens are counted, and a turn can be taken
    ahead of its time, so that whoever waits knows for how long and does not ask again."""

    def __init__(self, count: int, per: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._each = per / count
        self._burst = per - self._each
        self._clock = clock
        self._next = clock() - per

    def wait(self) -> float:
        """Seconds until one that comes now would have its turn."""
        return max(self._next - self._burst - self._clock(), 0.0)

    def take(self) -> float:
        """Takes a turn; the seconds until then."""
        wait = self.wait()
        self._next = max(self._next, self._clock()) + self._each
        return wait
