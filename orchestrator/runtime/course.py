"""A saga's course to one of its ends: its deadline, a cancel, and the way back.

It runs on any asyncio loop, Temporal's or a scenario's, as the interpreter does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from orchestrator.runtime.backward import CompensationFailed
from orchestrator.runtime.effects import SagaFailed


class Course:
    """One run. `back` compensates; `within` is the deadline in seconds."""

    def __init__(self, back: Callable[[], Coroutine[Any, Any, None]], within: float | None) -> None:
        self._back = back
        self._within = within
        self._forward = False

    def pass_pivot(self) -> None:
        """From here on neither a cancel nor the deadline ends the saga."""
        self._forward = True

    async def run(self, forward: Coroutine[Any, Any, Any]) -> Any:
        """The result of `forward`; whatever else it comes to is compensated. A cancel of this
        task is the saga's. Raises SagaFailed, CancelledError, and CompensationFailed where a
        person gave an undo up."""
        body = asyncio.ensure_future(forward)

        def stop() -> bool:
            return not self._forward and body.cancel()

        deadline = _Deadline(self._within, stop)
        try:
            return await _ended(body, stop)
        except asyncio.CancelledError:
            reason = f"not done within {self._within:g}s" if deadline.passed else None
        except SagaFailed as failed:
            reason = str(failed)
        finally:
            deadline.close()
        try:
            await _undisturbed(self._back())
        except CompensationFailed as failed:
            raise CompensationFailed(f"{reason or 'cancelled'}; {failed}") from None
        if reason is None:
            raise asyncio.CancelledError
        raise SagaFailed(reason)


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


async def _ended(body: asyncio.Future[Any], stop: Callable[[], bool]) -> Any:
    """The body's result. A cancel stops it when it has begun: what it then makes of it is its own
    affair."""
    while True:
        try:
            return await asyncio.shield(body)
        except asyncio.CancelledError:
            if body.done():
                return body.result()
            stop()


async def _undisturbed(compensation: Coroutine[Any, Any, None]) -> None:
    """Runs a compensation to its end; a cancel that comes meanwhile changes nothing."""
    task = asyncio.ensure_future(compensation)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            continue
    task.result()
