"""Load in a closed loop: always so many under way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self


class ClosedLoop:
    """Keeps `in_flight` calls of `once` under way while the context lasts; its end waits for the
    last ones."""

    def __init__(self, once: Callable[[], Awaitable[object]], in_flight: int) -> None:
        self._once = once
        self._in_flight = in_flight
        self._done = 0
        self._ending = False
        self._tasks: list[asyncio.Task[None]] = []

    async def count(self, seconds: float) -> int:
        """How many calls ended within so many seconds from now. Raises what a call raised."""
        before = self._done
        ended, _ = await asyncio.wait(
            self._tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        for task in ended:
            task.result()
        return self._done - before

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._again()) for _ in range(self._in_flight)]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._ending = True
        if kind is not None:
            for task in self._tasks:
                task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        if kind is None:
            for wrong in filter(None, results):
                raise wrong

    async def _again(self) -> None:
        while not self._ending:
            await self._once()
            self._done += 1
