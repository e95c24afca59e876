"""Work in tasks of its own: side by side, and undisturbed by a cancel."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


async def undisturbed(work: Coroutine[Any, Any, T]) -> T:
    """The result of a compensation, run to its end; a cancel that comes meanwhile is for what comes
    next."""
    task, cancelled = asyncio.ensure_future(work), False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
        except Exception:
            break
    result = task.result()
    if cancelled:
        raise asyncio.CancelledError
    return result


async def together(work: Sequence[Coroutine[Any, Any, Any]]) -> None:
    """Runs all of it side by side; the first failure cancels the rest."""
    tasks = [asyncio.ensure_future(w) for w in work]
    try:
        await asyncio.gather(*tasks)
    except GeneratorExit:
        raise  # an evicted workflow is closed: nothing of it goes on
    except BaseException:
        # What they had done is known when all have ended.
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        if any(isinstance(end, BaseException) for end in ends):
            raise
        # A cancel that found all of them at their end: it is for what comes next.
        current = asyncio.current_task()
        assert current
        current.cancel()
