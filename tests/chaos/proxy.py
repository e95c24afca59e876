"""A TCP proxy on the loopback that cuts, stalls and halves the connections through it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

from orchestrator.dev.ports import LOOPBACK


class Proxy:
    """Passes everything on to `target`, a port, until it is told otherwise."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._there, self._back = asyncio.Event(), asyncio.Event()
        self._there.set()
        self._back.set()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server, "entered before use"
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, LOOPBACK, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> int:
        """Resets all connections; how many. New ones are let in."""
        open_now = len(self._writers) // 2
        for writer in self._writers:
            writer.transport.abort()
        return open_now

    async def stall(self, seconds: float) -> None:
        """Nothing passes, nothing is closed, for so long; then all of it does."""
        self._there.clear()
        self._back.clear()
        await asyncio.sleep(seconds)
        self._there.set()
        self._back.set()

    async def halve(self, seconds: float) -> None:
        """What is asked arrives, what is answered does not, for so long; then the connections are
        reset, and nobody ever sees those answers."""
        self._back.clear()
        await asyncio.sleep(seconds)
        self.cut()
        self._back.set()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            target = await asyncio.open_connection(LOOPBACK, self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, target[1]}
        for task in (
            asyncio.create_task(self._pump(reader, target[1], self._there)),
            asyncio.create_task(self._pump(target[0], writer, self._back)),
        ):
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event
    ) -> None:
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(65536):
                    await gate.wait()
                    writer.write(data)
                    await writer.drain()
        finally:
            # The other direction ends with it.
            writer.close()
            self._writers.discard(writer)
