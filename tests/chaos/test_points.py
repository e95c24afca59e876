"""A process dies at every point there is, one after the other, while orders come in, and then all
servers at once: nothing is lost and nothing is done twice. `make chaos` goes on from here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import get_args

import pytest

from orchestrator.failpoint import POINTS
from tests.chaos.arena import Arena
from tests.chaos.child import Role
from tests.chaos.scenario import Scenario
from tests.chaos.slots import Plan, Slot, points_of

#: Seconds for a process to come to its point, and for all to be well at the end: a saga that lost
#: its worker waits for Temporal's ten, several times over, on a machine that may be slow.
LIMIT = 120.0

pytestmark = pytest.mark.timeout(600)


def test_every_point_belongs_to_a_process() -> None:
    """The processes' points are the table's."""
    found = [point for role in get_args(Role) for point in points_of(role)]
    assert sorted(found) == sorted(POINTS)


async def test_a_death_at_every_point(arena: Arena) -> None:
    """Two workers, two desks, participants, a relay and a transformer go through their points side
    by side, stand still at some of them, and send records twice and late; each point is reached.
    Then the servers are killed. All orders end as they should."""
    kind = "postgres" if arena.postgres else "sqlite"
    async with Scenario(arena, kind, mischief=True) as run:
        # From the last on: those that take healthy sagas come when the others have died.
        worker, desk = points_of("worker")[::-1], points_of("desk")
        done = asyncio.Event()
        lists = {
            Slot(run, "worker"): _plans(worker[::2]),
            Slot(run, "worker"): _plans(worker[1::2]),
            Slot(run, "participant"): _plans(points_of("participant")),
            Slot(run, "relay"): _plans(points_of("relay")),
            Slot(run, "desk"): _plans(desk[::2]),
            Slot(run, "desk"): _plans(desk[1::2]),
            Slot(run, "transformer"): _plans(points_of("transformer")),
        }
        feeding = asyncio.create_task(run.feed(0.3, done))
        await asyncio.gather(*(slot.go_through(plans, LIMIT) for slot, plans in lists.items()))
        await asyncio.gather(*(arena.restart(server) for server in arena.servers))
        done.set()
        await feeding
        assert await run.verdict(LIMIT) == []
        await asyncio.gather(*(slot.rest() for slot in lists))


def _plans(points: Sequence[str]) -> list[Plan]:
    """The third of each is one to stand still at, and to go on from later."""
    return [Plan(point, "stop" if n == 2 else "kill") for n, point in enumerate(points)]
