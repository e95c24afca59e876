"""How long the fast way waits for an answer, and when it is not worth taking."""

from __future__ import annotations

from collections import defaultdict

#: The weight of the last answer in the moving share of misses.
_WEIGHT = 0.1
#: Above this share of misses the fast way only doubles the messages …
_TOO_MANY = 0.7
#: … and every so many-th command still tries it, to see whether things are better.
_PROBE = 10


class Window:
    """The fast way's `seconds`, for each type of command by what became of the last ones. A
    service that thinks for longer than the window, or a machine that is overloaded, is not sent
    everything twice."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._misses: dict[str, float] = defaultdict(float)
        self._passed: dict[str, int] = defaultdict(int)

    def for_type(self, type: str) -> float:
        """Seconds to wait for the answer to a command of this type; 0: leave it to the durable
        way."""
        if self._misses[type] <= _TOO_MANY:
            return self._seconds
        self._passed[type] = (self._passed[type] + 1) % _PROBE
        return self._seconds if self._passed[type] == 0 else 0.0

    def note(self, type: str, answered: bool) -> None:
        """Tells whether an answer came within the window."""
        self._misses[type] += _WEIGHT * ((0.0 if answered else 1.0) - self._misses[type])
