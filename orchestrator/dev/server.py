"""What all embedded servers share: one process, ended in order or as by a crash."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

from orchestrator.dev.process import ServerProcess


class Server(ABC):
    """A server that runs while its context lasts."""

    _process: ServerProcess | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process and self._process.alive else None

    @abstractmethod
    async def start(self) -> Self:
        """Start it and wait until it answers. Raises `MissingError` or `ServerError`."""

    async def stop(self) -> None:
        """Stop it in order; a second call does nothing."""
        if self._process is not None:
            await self._process.stop()

    def kill(self) -> None:
        """Kill it, as a crash would; `start` starts it again on the same ports and data."""
        if self._process is not None:
            self._process.kill()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
