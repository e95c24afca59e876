"""What a policy lets through in a process: so many at once, at such a rate, and nothing while its
circuit is open."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from dsl.model import PolicyModel
from orchestrator.messaging.breaker import Breaker
from orchestrator.messaging.rate import Rate
from orchestrator.telemetry import metrics


@dataclass(frozen=True, slots=True)
class Bounds:
    """The settings of a policy: a breaker's, a rate's, and how many at once; None without. Times
    are seconds."""

    breaker: tuple[int, float, float] | None = None
    rate: tuple[int, float] | None = None
    at_once: int | None = None

    def __bool__(self) -> bool:
        return any(b is not None for b in (self.breaker, self.rate, self.at_once))


def bounds_of(policy: PolicyModel | None) -> Bounds:
    """The bounds of a policy."""
    if policy is None:
        return Bounds()
    breaker, rate = policy.circuit_breaker, policy.rate_limit
    times = () if breaker is None else (breaker.within, breaker.open_for)
    within, open_for = (t.total_seconds() for t in times) if times else (0.0, 0.0)
    return Bounds(
        (breaker.failures, within, open_for) if breaker else None,
        (rate.count, rate.per.total_seconds()) if rate else None,
        policy.max_in_flight,
    )


class Attempt:
    """One that was let through. It has succeeded unless something else is said of it."""

    def __init__(self, breaker: Breaker | None) -> None:
        self._breaker = breaker
        #: Whether the breaker asks by it how things are: when it fails it is not the message's.
        self.probe = breaker is not None and breaker.wants_probe
        self._begun = breaker.begin() if breaker else 0
        self._tell: Callable[[int], None] | None = breaker.succeeded if breaker else None

    def failed(self) -> None:
        """What it needs did not work."""
        self._tell = self._breaker.failed if self._breaker else None

    def dropped(self) -> None:
        """It tells nothing of what it needs: a message that nobody can read."""
        self._tell = self._breaker.dropped if self._breaker else None

    def end(self) -> None:
        """Tells the breaker."""
        if self._tell is not None:
            self._tell(self._begun)


class Admission:
    """Of one dependency. `name` is what its circuit is called in the numbers."""

    def __init__(self, name: str, bounds: Bounds) -> None:
        self._breaker = Breaker(*bounds.breaker) if bounds.breaker else None
        self.name = name
        _KNOWN.add(self)
        self._rate = Rate(*bounds.rate) if bounds.rate else None
        self._free = bounds.at_once
        self._bounded = bool(bounds)
        self._changed = asyncio.Event()
        #: The tasks that wait to be let through: they have not begun anything yet.
        self.waiting: set[asyncio.Task[Any]] = set()
        self.counts: Counter[str] = Counter()
        if meters := metrics.meters():
            meters.outcomes("admissions", self.counts)
            if breaker := self._breaker:
                meters.circuit(name, lambda: int(breaker.circuit))

    @property
    def troubled(self) -> float:
        """Seconds for which its circuit has not been closed."""
        return self._breaker.troubled if self._breaker else 0.0

    def wait(self) -> float:
        """Seconds until it is worth asking; 0: one that comes now is let through."""
        return max(self._rate.wait() if self._rate else 0.0, self.closed())

    @asynccontextmanager
    async def attempt(self, stop: asyncio.Event | None = None) -> AsyncIterator[Attempt]:
        """Waits until it may begin, and holds a place for the block. An error that comes out of the
        block tells nothing. When `stop` is set while it waits it is cancelled."""
        if self._bounded and self.wait():
            self.counts["waited"] += 1
            await self._let_through(stop)
        elif self._rate:
            self._rate.take()
        begun = self.begin()
        try:
            yield begun
        except BaseException:
            begun.dropped()
            raise
        finally:
            self.end(begun)

    async def _let_through(self, stop: asyncio.Event | None) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.waiting.add(task)
        stopped = asyncio.create_task((stop or asyncio.Event()).wait())
        try:
            await asyncio.wait((stopped,), timeout=self.take_turn())
            while (wait := self.closed()) and not stopped.done():
                changed = asyncio.create_task(self._changed.wait())
                await asyncio.wait(
                    (stopped, changed), timeout=wait, return_when=asyncio.FIRST_COMPLETED
                )
                changed.cancel()
        finally:
            self.waiting.discard(task)
            stopped.cancel()
        if stopped.done() and not stopped.cancelled():
            raise asyncio.CancelledError

    @property
    def wants_probe(self) -> bool:
        """Whether one that begins now is a probe."""
        return self._breaker is not None and self._breaker.wants_probe

    def take_turn(self) -> float:
        """Takes a turn of the rate; the seconds until then."""
        return self._rate.take() if self._rate else 0.0

    def closed(self) -> float:
        """Seconds for which the circuit or the places let nothing through, as far as is known."""
        wait = self._breaker.wait() if self._breaker else 0.0
        return max(wait, _SLOT if self._free == 0 else 0.0)

    def begin(self) -> Attempt:
        """Begins one that may begin; `end` follows."""
        if self._free is not None:
            self._free -= 1
        return Attempt(self._breaker)

    def end(self, attempt: Attempt) -> None:
        """Gives its place to another, and tells the breaker how it went."""
        attempt.end()
        if self._free is not None:
            self._free += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def admissions() -> list[Admission]:
    """All of this process."""
    return list(_KNOWN)


_KNOWN: WeakSet[Admission] = WeakSet()

#: Seconds after which somebody who waits for a place looks again, woken or not.
_SLOT = 1.0
