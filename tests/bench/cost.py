"""What work costs: on the clock, and on the processor, which tells more on a shared machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one unit of work: seconds that passed, and seconds of this process on the processor."""

    wall: float
    cpu: float

    @property
    def rate(self) -> float:
        """Units per second."""
        return 1 / self.wall

    @property
    def microseconds(self) -> float:
        """On the processor."""
        return self.cpu * 1_000_000


class Meter:
    """Measures from when it is made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def cost(self, count: int) -> Cost:
        """Of one of so many units that were done until now."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return Cost(wall / count, cpu / count)


Side = Callable[[], Awaitable[Cost]]


async def in_turns(sides: Sequence[Side], rounds: int) -> list[Cost]:
    """The median cost of each side. They take turns, and each begins as often as the others, so
    that a slower moment of the machine is nobody's."""
    found: list[list[Cost]] = [[] for _ in sides]
    for turn in range(rounds):
        for place in range(len(sides)):
            side = (turn + place) % len(sides)
            found[side].append(await sides[side]())
    return [median(costs) for costs in found]


def median(costs: Sequence[Cost]) -> Cost:
    """Of both figures by themselves."""
    return Cost(statistics.median(c.wall for c in costs), statistics.median(c.cpu for c in costs))
