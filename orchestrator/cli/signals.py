"""Ctrl-C and SIGTERM: the first asks to stop, the second no longer waits."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from orchestrator.cli.errors import InterruptedRunError

T = TypeVar("T")


def stop_event() -> asyncio.Event:
    """Set by the first signal; each further one cancels the running command."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()

    def ask() -> None:
        if stop.is_set() and main is not None:
            main.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask)
    return stop


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T:
    """The work's result. When `stop` comes first the work is cancelled, and InterruptedRunError
    raised once it has cleaned up."""
    task = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        while not task.done():
            task.cancel()
            # A second Ctrl-C cancels this wait, and the work once more.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait((task,))
    if task.cancelled():
        raise InterruptedRunError
    return task.result()
