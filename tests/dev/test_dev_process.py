"""One server process: it is ready, it ends, and it never outlives its owner."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from orchestrator.dev.errors import EarlyDeathError, ServerError
from orchestrator.dev.identity import Identity
from orchestrator.dev.pidfile import PidFile
from orchestrator.dev.process import ServerProcess

READY = "import pathlib, time; pathlib.Path('ready').touch(); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}"

OWNER = """
import asyncio, sys
from pathlib import Path
from orchestrator.dev.process import ServerProcess
async def main():
    server = ServerProcess("toy", [sys.executable, "-c", sys.argv[2]], Path(sys.argv[1]))
    await server.start()
    print(server.pid, server._guard.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.fixture
async def toy(tmp_path: Path) -> AsyncIterator[Callable[..., ServerProcess]]:
    made: list[ServerProcess] = []

    def make(code: str = READY, grace: float = 5.0) -> ServerProcess:
        command = [sys.executable, "-c", code]
        made.append(ServerProcess("toy", command, tmp_path, cwd=tmp_path, grace=grace))
        return made[-1]

    yield make
    for each in made:
        each.kill()


def run_toy(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", READY], cwd=folder)


async def until_file(folder: Path) -> None:
    while not (folder / "ready").exists():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_an_early_death_says_who_why_and_where(toy, tmp_path: Path) -> None:
    """A server that dies before it is ready is one error with its name, log file and last lines."""
    server = toy("import sys; sys.exit('the disk is on fire')")
    await server.start()

    async def probe() -> bool:
        return False

    with pytest.raises(EarlyDeathError) as caught:
        await server.until_ready(probe, limit=60)
    for part in ("toy", "status 1", str(tmp_path / "toy.log"), "the disk is on fire"):
        assert part in str(caught.value)


async def test_a_slow_server_is_stopped(toy, tmp_path: Path, gone) -> None:
    """A server that is not ready within its limit is an error, and is not left running."""
    server = toy()
    await server.start()
    pid = server.pid

    async def probe() -> bool:
        return False

    with pytest.raises(ServerError, match="did not answer within 0 s"):
        await server.until_ready(probe, limit=0.1)
    assert gone(pid)


async def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    """A command that cannot be run is an error that names the server and the command."""
    with pytest.raises(ServerError, match=r"cannot start toy: .*no-such-program"):
        await ServerProcess("toy", ["/no-such-program"], tmp_path).start()


async def test_stopping_twice_is_stopping_once(toy, gone) -> None:
    """A stopped server is gone, and to stop it again, or two times at once, changes nothing."""
    server = toy()
    await server.start()
    pid = server.pid
    await asyncio.gather(server.stop(), server.stop())
    await server.stop()
    assert gone(pid, limit=0.1)
    assert not server.alive


async def test_a_stubborn_server_is_killed(toy, tmp_path: Path, gone) -> None:
    """A server that ignores the stop signal is killed when its grace is over."""
    server = toy(STUBBORN, grace=0.2)
    await server.start()
    await until_file(tmp_path)
    pid = server.pid
    await server.stop()
    assert gone(pid, limit=0.1)


async def test_a_cancelled_stop_kills(toy, tmp_path: Path, gone) -> None:
    """Where the wait for a stop is cancelled (Ctrl-C again), the server is killed at once."""
    server = toy(STUBBORN, grace=60)
    await server.start()
    await until_file(tmp_path)
    pid = server.pid
    stopping = asyncio.ensure_future(server.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert gone(pid, limit=0.1)


async def test_ctrl_c_reaches_the_owner_alone(toy) -> None:
    """The server has a session of its own, so the terminal's signals do not reach it."""
    server = toy()
    await server.start()
    assert os.getsid(server.pid) == server.pid != os.getsid(0)


@pytest.mark.parametrize("victim", ["owner", "guardian"])
async def test_a_kill_leaves_nothing(tmp_path: Path, script, gone, victim: str) -> None:
    """Where the owner or the guardian is killed, the server ends too."""
    owner = await script(OWNER, tmp_path, READY)
    server, guardian = map(int, (await owner.stdout.readline()).split())
    os.kill(owner.pid if victim == "owner" else guardian, signal.SIGKILL)
    assert gone(server, guardian)


async def test_the_second_start_ends_what_the_first_left(toy, tmp_path: Path, gone) -> None:
    """A server whose owner and guardian are gone is ended by the next start on its folder."""
    left = run_toy(tmp_path)
    try:
        server_identity = Identity.of(left.pid)
        assert server_identity
        PidFile(tmp_path / "toy.pid").write(server_identity, Identity(left.pid, 1.0))
        server = toy()
        await server.start()
        assert gone(left.pid, limit=0.1)
        assert server.alive
    finally:
        left.kill()
        left.wait()


async def test_a_pid_used_again_is_left_alone(toy, tmp_path: Path) -> None:
    """A stale pid file whose pid now belongs to another process harms nobody."""
    stranger = run_toy(tmp_path)
    try:
        long_ago = Identity(stranger.pid, psutil.Process(stranger.pid).create_time() - 3600)
        PidFile(tmp_path / "toy.pid").write(long_ago, Identity(1, 1.0))
        await toy().start()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("text", ["", "12", "{}", "\x00\xff", '{"server": 1, "owner": 2}'])
async def test_a_damaged_pid_file_is_no_obstacle(toy, tmp_path: Path, text: str) -> None:
    """A pid file that makes no sense is ignored and replaced."""
    (tmp_path / "toy.pid").write_text(text)
    server = toy()
    await server.start()
    noted = PidFile(tmp_path / "toy.pid").read()
    assert noted is not None
    assert noted[0].pid == server.pid


async def test_a_running_server_is_not_taken_over(toy, tmp_path: Path) -> None:
    """A second start on the folder of a server whose owner lives is an error that names both."""
    first = toy()
    await first.start()
    with pytest.raises(
        ServerError, match=rf"process {first.pid}, started by process {os.getpid()}"
    ):
        await toy().start()
    assert first.alive
