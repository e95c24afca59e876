"""One server process: started under a guardian, watched until ready, stopped for certain."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from orchestrator.dev import guard as guardian
from orchestrator.dev.errors import EarlyDeathError, ServerError
from orchestrator.dev.identity import Identity
from orchestrator.dev.pidfile import PidFile

_PAUSE = 0.02  # seconds between two looks at a process
_PROBE_LIMIT = 5.0  # seconds for one question whether a server is ready
_TAIL = 15  # lines of a log that an error shows


class ServerProcess:
    """A server that ends with us, whatever ends us.

    `folder` holds `<name>.log` (the previous run's as `<name>.log.1`) and `<name>.pid`. `cwd` is
    its working folder; `user` runs it as another user, which only root can. `grace` is how many
    seconds it has to end after `stop_signal` before it is killed.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        folder: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace: float = 10.0,
    ) -> None:
        self.name = name
        self.log_file = folder / f"{name}.log"
        self._command = [str(part) for part in command]
        self._env = {**os.environ, **(env or {})}
        self._cwd = cwd
        self._user = user
        self._stop_signal = stop_signal
        self._grace = grace
        self._pid_file = PidFile(folder / f"{name}.pid")
        self._guard: subprocess.Popen[bytes] | None = None
        self._server: Identity | None = None

    @property
    def pid(self) -> int:
        """The server's process id. Raises `ServerError` when it was not started."""
        if self._server is None:
            raise ServerError(f"{self.name} is not running")
        return self._server.pid

    @property
    def alive(self) -> bool:
        """Whether the server was started and has not ended."""
        return self._guard is not None and self._guard.poll() is None

    async def start(self) -> None:
        """Start it, after ending one that an earlier run left behind on the same folder.

        Raises `ServerError` where the command cannot be run or another process uses the folder.
        """
        if self.alive:
            return
        self._pid_file.path.parent.mkdir(parents=True, exist_ok=True)
        await self._pid_file.clear(self.name)
        self._keep_previous_log()
        try:
            await self._spawn()
        except BaseException:
            self.kill()
            raise

    async def until_ready(self, probe: Callable[[], Awaitable[bool]], limit: float) -> None:
        """Ask `probe` until it says yes; stop the server and raise where it dies or is too slow.

        `limit` is in seconds. Raises `EarlyDeathError` or `ServerError`.
        """
        end = asyncio.get_running_loop().time() + limit
        try:
            while not await _says_yes(probe):
                if not self.alive:
                    raise self._died()
                if asyncio.get_running_loop().time() > end:
                    raise ServerError(
                        f"{self.name} did not answer within {limit:.0f} s: see {self.log_file}"
                    )
                await asyncio.sleep(_PAUSE)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End it: the stop signal, then a kill when its grace is over. A second call does nothing.

        Where the wait is cancelled (Ctrl-C again), the server is killed at once instead.
        """
        if self._guard is None:
            return
        _let_go(self._guard)
        try:
            await _until_ended(self._guard, self._grace + 2.0)
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill it without a chance to clean up, and wait for its end; as a crash would."""
        if self._guard is None:
            return
        if self._server is not None and self._server.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._server.pid, signal.SIGKILL)
        _let_go(self._guard)
        try:
            self._guard.wait(self._grace + 2.0)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        self._guard, self._server = None, None
        self._pid_file.remove()

    async def _spawn(self) -> None:
        # Not asyncio's: that one belongs to one event loop, and servers outlive loops in tests.
        self._guard = subprocess.Popen(  # noqa: ASYNC220
            self._guard_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._env,
            cwd=self._cwd,
            start_new_session=True,
        )
        assert self._guard.stdout is not None
        with self._guard.stdout as said:
            line = (await asyncio.to_thread(said.readline)).decode(errors="replace").strip()
        word, _, rest = line.partition(" ")
        if word != "started":
            raise ServerError(f"cannot start {self.name}: {rest or 'its guardian ended'}")
        self._server = Identity.of(int(rest)) or Identity(int(rest), 0.0)
        self._pid_file.write(self._server, Identity.own())

    def _guard_command(self) -> list[str]:
        options = ["--log", str(self.log_file), "--signal", str(self._stop_signal.value)]
        options += ["--grace", str(self._grace)]
        options += ["--user", self._user] if self._user else []
        # Isolated and without site-packages: quick to start, and nobody's settings reach it.
        return [sys.executable, "-I", "-S", guardian.__file__, *options, *self._command]

    def _keep_previous_log(self) -> None:
        if self.log_file.exists():
            self.log_file.replace(self.log_file.with_name(f"{self.log_file.name}.1"))

    def _died(self) -> EarlyDeathError:
        assert self._guard is not None
        tail = _last_lines(self.log_file)
        said = f":\n{tail}" if tail else ""
        return EarlyDeathError(
            f"{self.name} ended with status {self._guard.returncode} before it was ready; "
            f"its log is {self.log_file}, start it again once the cause is gone{said}",
            tail,
        )


async def end_stale(name: str, folder: Path) -> None:
    """End what an earlier owner left running on this folder, so that its ports are free again.

    Raises `ServerError` where that owner still lives.
    """
    await PidFile(folder / f"{name}.pid").clear(name)


def _let_go(guard: subprocess.Popen[bytes]) -> None:
    if guard.stdin is not None:
        guard.stdin.close()


async def _until_ended(guard: subprocess.Popen[bytes], limit: float) -> None:
    end = asyncio.get_running_loop().time() + limit
    while guard.poll() is None and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110
        await asyncio.sleep(_PAUSE)


async def _says_yes(probe: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await asyncio.wait_for(probe(), _PROBE_LIMIT)
    except TimeoutError:
        return False


def _last_lines(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"  {line[:400]}" for line in lines[-_TAIL:])
