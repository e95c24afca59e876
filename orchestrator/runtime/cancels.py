"""When a cancel takes effect: where the saga waits for the server, and not before.

What local activities do is in the history only when their workflow task completes. After a crash
it is done again, under the same ids; but a cancel, or a deadline, that came meanwhile then stands
in the history before all of it. If it ended the saga there, what the lost task had done would
never be undone. So a cancel is kept until the saga comes to a wait that the server knows of: by
then everything has been done again, and is undone.

And nothing is undone in the task that hears of the cancel. The server refuses to end a saga in a
task during which an answer or a signal came; when that task is done again both stand in the
history, and the saga may find that what it waited for is there and go on, with undos sent already.
So a cancel that takes effect first lets its task end, by a timer; from then on the history says
that it came first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from temporalio import workflow

T = TypeVar("T")

#: The shortest timer of the server, in seconds.
MOMENT = 0.001


class Cancels:
    """The cancels that are kept, for each task: the body of a saga and the branches of a
    `parallel` are cancelled one by one."""

    def __init__(self) -> None:
        self._kept: set[asyncio.Task[Any] | None] = set()

    async def finish(self, handle: workflow.ActivityHandle[T]) -> T:
        """A local activity's result; a cancel is kept. Raises ActivityError; but in a replay what
        had caused that, alone, for no more stands in the history: any FailureError."""
        while True:
            try:
                return await asyncio.shield(handle)
            except asyncio.CancelledError:
                if handle.cancelled():
                    raise
                self.keep()

    async def wait(self, handle: workflow.ActivityHandle[T]) -> T:
        """An activity's result. A cancel is passed on to the activity and ends the wait at once,
        unless there is a result already. Raises ActivityError."""
        try:
            return await asyncio.shield(handle)
        except asyncio.CancelledError:
            if not handle.done() or handle.cancelled():
                handle.cancel()
                await _let_task_end()
                raise
            self.keep()
            return handle.result()

    async def end(self, handle: workflow.ActivityHandle[T]) -> T:
        """The result of an activity that does not hear of cancels: one is passed on, so that no
        other attempt is made, and ends the wait when the one under way is over. A result that is
        there already is taken. Raises ActivityError."""
        try:
            return await asyncio.shield(handle)
        except asyncio.CancelledError:
            if handle.done() and not handle.cancelled():
                self.keep()
                return handle.result()
            handle.cancel()
            await _over(handle)
            raise

    async def condition(self, holds: Callable[[], bool], limit: float | None) -> bool:
        """Whether a condition came to hold before the limit (seconds). A cancel ends the wait,
        unless it is over already."""
        end = workflow.time() + limit if limit is not None else None
        try:
            if not holds():
                await self.take_effect()
                await workflow.wait_condition(holds, timeout=limit)
            return True
        except TimeoutError:
            return False
        except asyncio.CancelledError:
            held = holds()
            if not held and (end is None or workflow.time() < end):
                await _let_task_end()
                raise
            self.keep()
            return held

    async def take_effect(self) -> None:
        """Called before the saga waits for the server. Raises a cancel that was kept."""
        task = asyncio.current_task()
        if task in self._kept:
            self._kept.discard(task)
            await _let_task_end()
            raise asyncio.CancelledError

    def forget(self) -> None:
        """Drops a cancel that was kept: the saga has passed its pivot."""
        self._kept.discard(asyncio.current_task())

    def keep(self) -> None:
        """Keeps a cancel until the next such wait."""
        self._kept.add(asyncio.current_task())


async def _let_task_end() -> None:
    await _over(asyncio.ensure_future(workflow.sleep(MOMENT)))


async def _over(handle: asyncio.Future[Any]) -> None:
    """Waits for an end, whichever; more cancels change nothing."""
    while not handle.done():
        try:
            await asyncio.shield(handle)
        except asyncio.CancelledError:
            continue
        except Exception:
            return
