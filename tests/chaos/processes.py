"""The command line's long-running commands as processes of their own, to be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.runtime.eventually import eventually

REPOSITORY = Path(__file__).parents[2]
_MAIN = "from orchestrator.cli.main import main; main()"


class Command:
    """`orchestrate <arguments>` as a process; `ready` is what its log says when it serves."""

    def __init__(
        self,
        *arguments: str,
        ready: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        code: str = _MAIN,
    ) -> None:
        self._arguments = arguments
        self._ready = ready
        self._env = {**os.environ, "PYTHONPATH": str(REPOSITORY), **env}
        self._log = log
        self._code = code
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it; `until_ready` waits."""
        self._seen = len(self._text())
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", self._code, *self._arguments),
                cwd=REPOSITORY,
                env=self._env,
                stdout=log,
                stderr=log,
            )

    async def until_ready(self, limit: float = 60.0) -> None:
        """Waits until it says that it serves."""
        await eventually(self._is_ready, f"`{' '.join(self._arguments)}` is ready", limit)

    def _is_ready(self) -> bool:
        assert self._process
        text = self._text()[self._seen :]
        assert self._process.returncode is None, text
        return all(said in text for said in self._ready)

    def _text(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    async def kill(self) -> None:
        """SIGKILL."""
        assert self._process and self._process.returncode is None, self._text()[-2000:]
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        """SIGTERM, and its end."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(30):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            raise

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serves while the block lasts."""
        try:
            await self.start()
            await self.until_ready()
            yield
        finally:
            await self.stop()


@asynccontextmanager
async def running(*commands: Command) -> AsyncIterator[None]:
    """Starts them side by side, waits until all serve, and stops them at the end."""
    try:
        for command in commands:
            await command.start()
        for command in commands:
            await command.until_ready()
        yield
    finally:
        for command in commands:
            await command.stop()
