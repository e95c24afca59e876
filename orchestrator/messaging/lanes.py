"""Runs records of different keys side by side, those of one key one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from orchestrator.messaging.progress import Progress
from orchestrator.messaging.record import Record

Handle = Callable[[Record], Awaitable[None]]

#: The queues of a partition, by key; a record without one has a queue of its own, by its offset.
_Queues = dict[str | int, deque[Record]]

#: A queue with its name among those of its partition.
_Lane = tuple[_Queues, str | int, deque[Record], Progress]


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
        self._partitions: dict[Progress, _Queues] = {}
        self._ready: deque[_Lane] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    def add(self, records: Sequence[Record], progress: Progress) -> None:
        """Queues records of one partition behind those of their keys; `start` sets the tasks
        going."""
        queues, ready = self._partitions.setdefault(progress, {}), self._ready
        for record in records:
            key = record.key if record.key is not None else record.offset
            assert key is not None, "a record that was read"
            queue = queues.get(key)
            if queue is None:
                queue = queues[key] = deque((record,))
                ready.append((queues, key, queue, progress))
            else:
                queue.append(record)

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

    async def drain(self, limit: float, idle: Collection[asyncio.Task[Any]] = ()) -> None:
        """Forgets what has not begun, `idle` tasks among it, and waits for what has; what still
        runs after `limit` seconds is cancelled, because another reader may own its key from now
        on."""
        for queues in self._partitions.values():
            for queue in queues.values():
                queue.clear()
            queues.clear()
        self._partitions.clear()
        self._ready.clear()
        if not self._tasks:
            return
        running = set(self._tasks)
        for task in running.intersection(idle):
            task.cancel()
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
            lane = ready.popleft()
            queues, key, queue, progress = lane
            record = queue.popleft()
            try:
                await handle(record)
            except Exception as error:
                self._stopped = True
                self._failed(record, error)
                return
            progress.finish(record)
            if queue:
                # One record at a turn, so that a busy key does not hold a task for itself.
                ready.append(lane)
            elif queues.get(key) is queue:  # no drain forgot it while the handler ran
                del queues[key]
