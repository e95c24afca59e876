"""Waits out what is away: a server that does not answer now, and will."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

#: Seconds between two calls: the first wait, and what the doubling ends at.
_FIRST, _LONGEST = 0.1, 5.0


async def outlast(call: Callable[[], Awaitable[T]], bear: Callable[[Exception], None]) -> T:
    """What a call gives; it is made again, after longer and longer waits, for as long as `bear`
    returns when it is told the error. Raises what `bear` raises: the error, where it will not
    go away by itself."""
    wait = _FIRST
    while True:
        try:
            return await call()
        except Exception as error:
            bear(error)
        await asyncio.sleep(wait)
        wait = min(wait * 2, _LONGEST)


async def outlast_unless(
    stop: asyncio.Event, call: Callable[[], Awaitable[T]], bear: Callable[[Exception], None]
) -> T | None:
    """As `outlast`; None when `stop` is set before, and then the call is cancelled."""
    working = asyncio.ensure_future(outlast(call, bear))
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        stopped.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait((working,))
