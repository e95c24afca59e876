"""A process dies at every point there is, one after the other, while orders come in: nothing is
lost and nothing is done twice."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.failpoint import POINTS
from tests.chaos.arena import Arena
from tests.chaos.scenario import Scenario
from tests.chaos.slots import Plan, Slot, points_of

pytestmark = pytest.mark.timeout(300)


def test_every_point_belongs_to_a_process() -> None:
    """The processes' points are the table's."""
    found = [*points_of("worker"), *points_of("participant"), *points_of("relay")]
    assert sorted(found) == sorted(POINTS)


async def test_a_death_at_every_point(arena: Arena) -> None:
    """Two workers, participants and a relay go through their points side by side; each is reached,
    and when the last has died all orders end as they should."""
    async with Scenario(arena, "postgres") as run:
        worker, done = points_of("worker"), asyncio.Event()
        feeding = asyncio.create_task(run.feed(0.3, done))
        await asyncio.gather(
            Slot(run, "worker").go_through([Plan(p) for p in worker[::2]]),
            Slot(run, "worker").go_through([Plan(p) for p in worker[1::2]]),
            Slot(run, "participant").go_through([Plan(p) for p in points_of("participant")]),
            Slot(run, "relay").go_through([Plan(p) for p in points_of("relay")]),
        )
        done.set()
        await feeding
        assert await run.verdict(60) == []
