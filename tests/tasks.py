"""What a test leaves running in the loop that it shares with others."""

from __future__ import annotations

import asyncio
from collections.abc import Set
from typing import Any


async def lasting(tasks: Set[asyncio.Task[Any]]) -> Set[asyncio.Task[Any]]:
    """Those that do not end by themselves. What other tests' clients do has its end: the request
    of a fetch, a timer; what is left of a client that was closed goes on for ever."""
    if not tasks:
        return set()
    _, pending = await asyncio.wait(tasks, timeout=10)
    return pending
