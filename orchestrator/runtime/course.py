"""A saga's course to one of its ends: its deadline, a cancel, and the way back.

It runs on any asyncio loop, Temporal's or a scenario's, as the interpreter does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, NoReturn

from dsl.duration import written
from orchestrator.runtime.backward import CompensationFailed
from orchestrator.runtime.effects import SagaFailed
from orchestrator.runtime.standing import Paused

#: The shortest timer, in seconds.
_MOMENT = 0.001


class Course:
    """One run. `back` compensates; `within` is the deadline in seconds, of which so many may have
    `passed` in earlier runs."""

    def __init__(
        self,
        back: Callable[[], Coroutine[Any, Any, None]],
        within: float | None,
        passed: float = 0.0,
    ) -> None:
        self._back = back
        self._within = within
        self._passed = passed
        self._forward = False
        self._stopped = False  # a cancel, or the deadline, has been passed on to the body

    def pass_pivot(self) -> None:
        """From here on neither a cancel nor the deadline ends the saga."""
        self._forward = True

    async def run(self, forward: Coroutine[Any, Any, Any]) -> Any:
        """The result of `forward`; whatever else it comes to is compensated. A cancel of this
        task is the saga's. Raises SagaFailed, CancelledError, CompensationFailed where a person
        gave an undo up, and Paused where another run is to go on."""
        body = asyncio.ensure_future(forward)

        def stop() -> bool:
            stopped = not self._forward and body.cancel()
            self._stopped = self._stopped or stopped
            return stopped

        deadline = _Deadline(self._left(), stop)
        try:
            return await self._ended(body, stop)
        except asyncio.CancelledError:
            reason = _late(self._within) if deadline.passed else None
        except SagaFailed as failed:
            reason = str(failed)
        finally:
            deadline.close()
        return await self.back(reason)

    async def back(self, reason: str | None) -> NoReturn:
        """Compensates a saga that failed for a reason, or without one was cancelled. Raises as
        `run` does; the state of Paused then holds the `reason`."""
        try:
            await _undisturbed(self._back())
        except CompensationFailed as failed:
            raise CompensationFailed(f"{reason or 'cancelled'}; {failed}") from None
        except Paused as paused:
            raise Paused({**paused.state, "reason": reason}) from None
        if reason is None:
            raise asyncio.CancelledError
        raise SagaFailed(reason)

    def _left(self) -> float | None:
        """Seconds until the deadline; one that has passed between two runs comes at once."""
        return max(self._within - self._passed, _MOMENT) if self._within else None

    async def _ended(self, body: asyncio.Future[Any], stop: Callable[[], bool]) -> Any:
        """The body's result. A cancel stops it when it has begun: what it then makes of it is its
        own affair. One that stops between two runs is cancelled: the next would not hear of it."""
        while True:
            try:
                return await asyncio.shield(body)
            except Paused:
                if self._stopped and not self._forward:
                    raise asyncio.CancelledError from None
                raise
            except asyncio.CancelledError:
                if not body.done():
                    stop()
                elif not self._forward and _paused(body):
                    raise
                else:
                    return body.result()


def _late(within: float | None) -> str:
    return f"not done within {written(timedelta(seconds=within or 0))}"


def _paused(body: asyncio.Future[Any]) -> bool:
    return not body.cancelled() and isinstance(body.exception(), Paused)


class _Deadline:
    """Stops the body when the saga's `within` has passed; `stop` tells whether it could."""

    def __init__(self, seconds: float | None, stop: Callable[[], bool]) -> None:
        self.passed = False
        self._stop = stop
        self._timer = (
            asyncio.get_running_loop().call_later(seconds, self._pass) if seconds else None
        )

    def _pass(self) -> None:
        self.passed = self._stop()

    def close(self) -> None:
        if self._timer and not self.passed:
            self._timer.cancel()


async def _undisturbed(compensation: Coroutine[Any, Any, None]) -> None:
    """Runs a compensation to its end; a cancel that comes meanwhile changes nothing."""
    task = asyncio.ensure_future(compensation)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            continue
    task.result()
