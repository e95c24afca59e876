"""Keeps processes alive that die, or stand still, at one point after the other."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator import failpoint
from tests.chaos.child import SESSION, Action, Role
from tests.chaos.nursery import Child
from tests.chaos.scenario import Scenario

#: Who comes to which points, by what their names begin with.
_WHERE: dict[Role, tuple[str, ...]] = {
    "participant": ("handler.", "answer.", "rejected.", "offsets."),
    "desk": ("sequence.", "parked.", "held.", "retry.", "once."),
    "relay": ("outbox.",),
    "worker": (
        *("command.", "request.", "event.", "reply.", "letter."),
        *("start.", "arrival.", "unclaimed.", "claim."),
    ),
    "transformer": ("transform.",),
}

#: Where they come, too, which a short run leaves to the others.
_ALSO: dict[Role, tuple[str, ...]] = {
    "worker": ("sequence.", "offsets."),
    "desk": ("handler.", "answer.", "rejected.", "offsets."),
    "participant": ("once.",),
}

#: Seconds before one that ended by itself is started again, at first and at most.
_PAUSE, _LONGEST_PAUSE = 0.5, 4.0


def points_of(role: Role) -> list[str]:
    """The points that a process of this kind comes to; together they are all of them."""
    return [p for p in failpoint.POINTS if p.startswith(_WHERE[role])]


def every_point_of(role: Role) -> list[str]:
    """All points that a process of this kind comes to, whoever else does."""
    return [p for p in failpoint.POINTS if p.startswith((*_WHERE[role], *_ALSO.get(role, ())))]


@dataclass(frozen=True)
class Plan:
    """What is to happen at a point, at its `hit`-th time."""

    point: str
    action: Action = "kill"
    hit: int = 1


class Slot:
    """A place that one process of a kind fills: when it dies at its point, or stands still, another
    takes over with the next plan. One that stands still goes on after the others have taken it for
    dead, beside its successor."""

    def __init__(self, scenario: Scenario, role: Role, say: Callable[[str], None] = print) -> None:
        self._scenario = scenario
        self._say = say
        self._role: Role = role
        self._zombies: list[asyncio.Task[None]] = []
        self._pause = _PAUSE
        self.survived: Counter[str] = Counter()

    async def go_through(self, plans: Sequence[Plan], limit: float = 40.0) -> None:
        """All plans in turn; then a process without one stays. Each point has to be reached within
        `limit` seconds."""
        for plan in plans:
            began = time.monotonic()
            try:
                async with asyncio.timeout(limit):
                    child = await self._at_its_point(plan)
            except TimeoutError:
                raise AssertionError(
                    f"no {self._role} came to `{plan.point}` in {limit:g}s"
                ) from None
            await self._after(child, plan)
            self.survived[f"{plan.action} at {plan.point}"] += 1
            took = time.monotonic() - began
            self._say(f"{self._role}: {plan.action} at {plan.point} after {took:.1f}s")
        self._scenario.beside(self._stay(await self._scenario.start(self._role)))

    async def _at_its_point(self, plan: Plan) -> Child:
        while True:
            child = await self._scenario.start(
                self._role, point=plan.point, action=plan.action, hit=plan.hit
            )
            came = asyncio.create_task(child.reached.wait())
            ended = asyncio.create_task(child.ended.wait())
            try:
                await asyncio.wait((came, ended), return_when=asyncio.FIRST_COMPLETED)
            finally:
                came.cancel()
                ended.cancel()
            if child.reached.is_set():
                self._pause = _PAUSE
                return child
            await self._mourn(child)

    async def _stay(self, child: Child) -> None:
        """As whoever runs services does: one that ended is started again."""
        while True:
            await child.ended.wait()
            await self._mourn(child)
            child = await self._scenario.start(self._role)

    async def _mourn(self, child: Child) -> None:
        self._say(f"{self._role}: ended by itself, with {child.status}; see {child.orders.log}")
        self.survived["end by itself"] += 1
        # Longer and longer, as whoever runs services does it.
        await asyncio.sleep(self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    async def rest(self) -> None:
        """Until the last of those that stood still is gone."""
        await asyncio.gather(*self._zombies)

    async def _after(self, child: Child, plan: Plan) -> None:
        match plan.action:
            case "kill":
                await child.ended.wait()
            case "stop":
                await child.stopped.wait()
                self._zombies.append(asyncio.create_task(_awake(child)))
            case "delay":
                await asyncio.sleep(child.orders.seconds)
                await child.stop()
            case "raise":
                # Some errors end the process and some do not: the next one comes in its place.
                await asyncio.sleep(0.5)
                await child.stop()


async def _awake(child: Child) -> None:
    """Goes on when its partitions and its lease have long been taken, for a while."""
    await asyncio.sleep(2 * SESSION + 1)
    child.send(signal.SIGCONT)
    await asyncio.sleep(SESSION)
    await child.stop()
