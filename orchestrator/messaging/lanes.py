"""Runs records of different keys side by side, those of one key one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from orchestrator.messaging.progress import Progress
from orchestrator.messaging.record import Record

Handle = Callable[[Record], Awaitable[None]]

#: What orders records: their topic, partition and key; without a key, the record alone.
_Lane = tuple[Any, ...]

_Queued = tuple[Record, Progress]


class Lanes:
    """A queue for each key, and at most `concurrency` tasks that empty them in turns.

    After each success the record's partition is told; after the first failure,
    `failed(record, error)` is called and no further record is begun.
    """

    def __init__(
        self,
        handle: Handle,
        concurrency: int,
        failed: Callable[[Record, Exception], None],
    ) -> None:
        self._handle = handle
        self._concurrency = concurrency
        self._failed = failed
        self._queues: dict[_Lane, deque[_Queued]] = {}
        self._ready: deque[tuple[_Lane, deque[_Queued]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    def add(self, record: Record, progress: Progress) -> None:
        """Queues a record behind those of its key; `start` sets the tasks going."""
        topic, key, _, _, partition, offset, _ = record
        lane = (topic, partition, key) if key is not None else (topic, partition, None, offset)
        queue = self._queues.get(lane)
        if queue is None:
            queue = self._queues[lane] = deque(((record, progress),))
            self._ready.append((lane, queue))
        else:
            queue.append((record, progress))

    def start(self) -> None:
        """Sets as many tasks going as there are keys to serve; but one first: when no handler
        waits for anything it serves all of them, and the others would be made for nothing."""
        if self._ready and len(self._tasks) < self._concurrency:
            self._begin()
            asyncio.get_running_loop().call_soon(self._spread)

    def _spread(self) -> None:
        for _ in range(min(len(self._ready), self._concurrency - len(self._tasks))):
            self._begin()

    def _begin(self) -> None:
        self._tasks.add(asyncio.create_task(self._work()))

    async def drain(self, limit: float) -> None:
        """Forgets what has not begun and waits for what has; what still runs after `limit`
        seconds is cancelled, because another reader may own its key from now on."""
        for queue in self._queues.values():
            queue.clear()
        self._queues.clear()
        self._ready.clear()
        if not self._tasks:
            return
        running = set(self._tasks)
        _, late = await asyncio.wait(running, timeout=limit)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _work(self) -> None:
        try:
            await self._empty()
        finally:
            # At once, and not by a callback of the task: who adds a record next has to see that
            # nobody is at work any more.
            task = asyncio.current_task()
            assert task is not None
            self._tasks.discard(task)

    async def _empty(self) -> None:
        ready, handle = self._ready, self._handle
        while ready and not self._stopped:
            lane, queue = ready.popleft()
            record, progress = queue.popleft()
            try:
                await handle(record)
            except Exception as error:
                self._stopped = True
                self._failed(record, error)
                return
            progress.finish(record)
            if queue:
                # One record at a turn, so that a busy key does not hold a task for itself.
                ready.append((lane, queue))
            elif self._queues.get(lane) is queue:  # no drain forgot it while the handler ran
                del self._queues[lane]
