"""Waiting for what another program does: conditions with a limit, never a sleep and a hope."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any


async def eventually(condition: Callable[[], Any], what: str, limit: float = 30.0) -> Any:
    """The condition's first true value; it may be a coroutine function. Fails after `limit`
    seconds, saying what did not come."""
    end = asyncio.get_running_loop().time() + limit
    while True:
        found = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert asyncio.get_running_loop().time() < end, f"not within {limit:g}s: {what}"
        await asyncio.sleep(0.02)
