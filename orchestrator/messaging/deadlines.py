"""Ends what takes too long, with one timer for all."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any


class Deadlines:
    """Futures that are not done within `limit` seconds end with TimeoutError. Each lasts as long as
    the others, so that they stand in the order in which they end: measured, an `asyncio.timeout`
    for each costs a quarter of what publishing a record does."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, future: asyncio.Future[Any]) -> None:
        """Its time begins now."""
        waiting = self._waiting
        while waiting and waiting[0][1].done():
            waiting.popleft()
        loop = future.get_loop()
        waiting.append((loop.time() + self._limit, future))
        if self._timer is None:
            self._timer = loop.call_later(self._limit, self._end, loop)

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting, now = self._waiting, loop.time()
        while waiting and (waiting[0][1].done() or waiting[0][0] <= now):
            _, future = waiting.popleft()
            if not future.done():
                future.set_exception(TimeoutError())
        self._timer = loop.call_at(waiting[0][0], self._end, loop) if waiting else None
