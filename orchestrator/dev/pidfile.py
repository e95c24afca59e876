"""The note beside a server's data that says who runs it, so that a second start can clean up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from orchestrator.dev.errors import ServerError
from orchestrator.dev.identity import Identity

_GRACE = 10.0  # seconds for a server whose owner died to end after a signal
_REAPED = 1.0  # seconds for a dead one to be gone from the system's table


@dataclass(frozen=True)
class PidFile:
    """A JSON file with the server's process and its owner's."""

    path: Path

    def write(self, server: Identity, owner: Identity) -> None:
        """Note who runs now; a reader never sees half of it."""
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        part.write_text(json.dumps({"server": asdict(server), "owner": asdict(owner)}))
        part.replace(self.path)

    def read(self) -> tuple[Identity, Identity] | None:
        """The server and its owner, or nothing where the file is absent or damaged."""
        try:
            noted = json.loads(self.path.read_text())
            return Identity(**noted["server"]), Identity(**noted["owner"])
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def remove(self) -> None:
        """Forget; nothing happens where there is no file."""
        self.path.unlink(missing_ok=True)

    async def clear(self, name: str) -> None:
        """End a server that outlived its owner. Raises `ServerError` where the owner lives."""
        noted = self.read()
        if noted is None:
            return
        server, owner = noted
        if server.alive and owner.alive:
            raise ServerError(
                f"{name} already runs on {self.path.parent} (process {server.pid}, started by "
                f"process {owner.pid}): stop that one, or use another data folder"
            )
        await _end(server)
        self.remove()


async def _end(server: Identity) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not server.alive:
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.pid, number)
        await _until(lambda: not server.alive, _GRACE)
    # A process counts as dead while its last threads still hold its ports; who reaps it waits for
    # them. Where nobody does, it stays, and is no obstacle.
    await _until(lambda: not psutil.pid_exists(server.pid), _REAPED)


async def _until(done: Callable[[], bool], limit: float) -> None:
    end = asyncio.get_running_loop().time() + limit
    while not done() and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
