"""A saga's course where it stops for another run: a cancel, the deadline, the way back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from orchestrator.runtime.course import Course
from orchestrator.runtime.effects import SagaFailed
from orchestrator.runtime.standing import Paused


class Saga:
    """A body that stops when it may, whatever comes meanwhile; `undone` counts the ways back, of
    which the first `stops` stop."""

    def __init__(self, within: float | None = None, passed: float = 0.0, stops: int = 0) -> None:
        self.course = Course(self._back, within, passed)
        self.began, self.may_stop = asyncio.Event(), asyncio.Event()
        self.undone = 0
        self._stops = stops

    async def _back(self) -> None:
        self.undone += 1
        if self.undone <= self._stops:
            raise Paused({"undos": []})

    async def body(self) -> None:
        self.began.set()
        while not self.may_stop.is_set():
            try:
                await self.may_stop.wait()
            except asyncio.CancelledError:
                continue  # as where all that runs side by side is at its end
        raise Paused({"way": []})

    async def cancelled(self) -> None:
        """Runs it, with a cancel before it stops. Raises as it ends."""
        await self._meanwhile(lambda task: task.cancel())

    async def _meanwhile(self, act: Any) -> None:
        task = asyncio.ensure_future(self.course.run(self.body()))
        await self.began.wait()
        act(task)
        await asyncio.sleep(0)
        self.may_stop.set()
        await task


async def failing() -> None:
    raise SagaFailed("no")


async def within(limit: float, work: Coroutine[Any, Any, Any]) -> Any:
    async with asyncio.timeout(limit):
        return await work


async def test_a_cancel_that_comes_as_the_saga_stops_takes_effect() -> None:
    """The next run would not hear of it."""
    saga = Saga()
    with pytest.raises(asyncio.CancelledError):
        await saga.cancelled()
    assert saga.undone == 1


async def test_after_the_pivot_a_cancel_does_not_keep_the_saga_from_going_on() -> None:
    """It changes nothing."""
    saga = Saga()
    saga.course.pass_pivot()
    with pytest.raises(Paused) as paused:
        await saga.cancelled()
    assert (paused.value.state, saga.undone) == ({"way": []}, 0)


async def test_a_deadline_that_passed_between_two_runs_comes_at_once() -> None:
    """It counts from the first run, and is said as it was set."""
    saga = Saga(within=60, passed=61)
    with pytest.raises(SagaFailed, match="not done within 1m"):
        await within(5, saga.course.run(asyncio.sleep(30)))
    assert saga.undone == 1


async def test_the_way_back_goes_on_with_its_reason() -> None:
    """Whichever run comes to its end says why the saga failed."""
    saga = Saga(stops=2)
    with pytest.raises(Paused) as first:
        await saga.course.run(failing())
    assert first.value.state == {"undos": [], "reason": "no"}
    with pytest.raises(Paused) as second:
        await saga.course.back(first.value.state["reason"])
    with pytest.raises(SagaFailed, match="no"):
        await saga.course.back(second.value.state["reason"])
    assert saga.undone == 3
