"""An event loop whose time is virtual: it passes at once, and only when there is nothing to do."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

#: Where the clock of every scenario begins: a run is the same on every day.
START = datetime(2026, 1, 1, tzinfo=UTC)

_RESOLUTION = 1e-6  # seconds

#: How often what still runs is cancelled. A Ctrl-C may leave a task that will never be woken.
_ROUNDS = 100


class EndlessError(BaseException):
    """Nothing that a saga catches: it acts on and on, or past the last day that there is."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Deterministic: no threads, no I/O, no wall clock. Use `run`, then `close`."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._clock_resolution = _RESOLUTION
        self._scheduled: list[asyncio.TimerHandle]
        #: asyncio's own loop asks this for events, with the time until the next timer.
        self._selector = self
        self._conditions: list[tuple[asyncio.Future[bool], Callable[[], bool]]] = []
        self.set_exception_handler(lambda loop, context: None)

    def time(self) -> float:
        """Seconds since the start."""
        return self._now

    def instant(self) -> datetime:
        """The virtual time of day, in UTC. Raises EndlessError after the year 9999."""
        try:
            return START + timedelta(seconds=self._now)
        except OverflowError:
            raise EndlessError from None

    def run(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs until the work has ended, or until nothing would ever happen again; what is left
        then is ended by `close`."""
        task = self.create_task(work)
        task.add_done_callback(lambda _: self.stop())
        self.run_forever()
        return task

    async def wait_condition(self, holds: Callable[[], bool], limit: float | None) -> bool:
        """Whether a condition came to hold before the limit (seconds). It is asked whenever all
        that was to do at a moment is done, as in Temporal's workflows."""
        if holds():
            return True
        if limit is not None and limit <= 0:
            return False
        came: asyncio.Future[bool] = self.create_future()
        entry = (came, holds)
        self._conditions.append(entry)
        timer = self.call_later(limit, _settle, came, False) if limit is not None else None
        try:
            return await came
        finally:
            self._conditions.remove(entry)
            if timer:
                timer.cancel()

    def close(self) -> None:
        """Ends what still runs. Cancels are repeated: a saga goes on where it is undisturbed."""
        for _ in range(_ROUNDS):
            left = asyncio.all_tasks(self)
            if not left:
                break
            for task in left:
                task.cancel()
            self.call_soon(self.stop)
            self.run_forever()
        super().close()

    def __del__(self) -> None:
        """No warning where a Ctrl-C came before `close`: there is nothing that could leak."""

    # --- what asyncio's loop asks of a selector

    def select(self, timeout: float | None) -> list[Any]:
        """Nothing comes from outside. Time passes when nothing is left to do."""
        if timeout == 0 or self._some_hold():
            return []
        if timeout is None:
            self.stop()
        else:
            # Not by `timeout`, which is a day at most. Far off, times lie further apart than the
            # resolution of any real clock.
            self._now = max(self._now, self._scheduled[0].when())
            self._clock_resolution = max(_RESOLUTION, 2 * math.ulp(self._now))
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _some_hold(self) -> bool:
        some = False
        for came, holds in self._conditions:
            if came.done():
                continue
            try:
                held = holds()
            except Exception as error:
                came.set_exception(error)
                some = True
            else:
                if held:
                    came.set_result(True)
                    some = True
        return some


def _settle(came: asyncio.Future[bool], value: bool) -> None:
    if not came.done():
        came.set_result(value)
