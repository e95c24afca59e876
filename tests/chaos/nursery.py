"""Processes by the fork of one that has loaded everything: a start is a matter of milliseconds.

`python -m tests.chaos.nursery` is the side that forks; it takes lines of JSON and tells, in lines
of JSON, what becomes of its children. It ends with its parent, and they with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import sys
from asyncio.subprocess import PIPE, Process
from typing import Any, Self

from tests.chaos.child import Orders, main, redirect
from tests.chaos.processes import REPOSITORY


class Child:
    """One process. `reached` tells that it came to its point, `stopped` that it stands still there,
    `ended` that it is gone."""

    def __init__(self, orders: Orders, pid: int) -> None:
        self.orders = orders
        self.pid = pid
        self.ready, self.reached = asyncio.Event(), asyncio.Event()
        self.stopped, self.ended = asyncio.Event(), asyncio.Event()
        self.status: int | None = None

    def send(self, number: signal.Signals) -> None:
        """A signal, if it still lives."""
        if not self.ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def kill(self) -> None:
        """SIGKILL, and its end."""
        self.send(signal.SIGKILL)
        await self.ended.wait()

    async def stop(self, limit: float = 90.0) -> None:
        """SIGTERM, and its end; one that stands still goes on for it."""
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)
        try:
            async with asyncio.timeout(limit):
                await self.ended.wait()
        except TimeoutError:
            await self.kill()
            raise AssertionError(f"a {self.orders.role} did not stop in {limit:g}s") from None

    def _hear(self, news: dict[str, Any]) -> None:
        if "status" in news:
            self.status = news["status"]
            self.ended.set()
        for name in ("ready", "reached", "stopped"):
            if name in news:
                getattr(self, name).set()


class Nursery:
    """Starts children while its context lasts, and ends those that are left."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._children: dict[int, Child] = {}
        self._starts: list[asyncio.Future[Child]] = []
        self._asked: list[Orders] = []
        self._listener: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", __name__),
            stdin=PIPE,
            stdout=PIPE,
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            # A session of its own: Ctrl-C reaches the test alone, which ends us in order.
            start_new_session=True,
        )
        self._listener = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process and self._process.stdin and self._listener
        self._process.stdin.close()
        await self._process.wait()
        await self._listener

    async def start(self, orders: Orders) -> Child:
        """A new process; `ready` tells when it serves."""
        assert self._process and self._process.stdin
        future: asyncio.Future[Child] = asyncio.get_running_loop().create_future()
        self._starts.append(future)
        self._asked.append(orders)
        self._process.stdin.write(orders.to_json().encode() + b"\n")
        return await future

    async def _listen(self) -> None:
        assert self._process and self._process.stdout
        async for line in self._process.stdout:
            news = json.loads(line)
            pid = news.pop("pid")
            if "started" in news:
                child = self._children[pid] = Child(self._asked.pop(0), pid)
                self._starts.pop(0).set_result(child)
            else:
                self._children[pid]._hear(news)


def _tell(**news: object) -> None:
    # In one write, so that lines of several processes do not mix.
    os.write(_VOICE, json.dumps(news).encode() + b"\n")


def _forks() -> None:
    """Forks a child for each line; ends at the end of the input, all children with it."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write)
    living: set[int] = set()
    rest = b""
    while True:
        ready, _, _ = select.select([0, wake_read], [], [])
        if wake_read in ready:
            os.read(wake_read, 4096)
            _bury(living)
        if 0 in ready:
            read = os.read(0, 65536)
            if not read:
                break
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                living.add(_fork(line.decode()))
    for pid in living:
        os.kill(pid, signal.SIGKILL)


def _fork(line: str) -> int:
    pid = os.fork()
    if pid:
        _tell(pid=pid, started=True)
        return pid
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(0)
        os.open(os.devnull, os.O_RDONLY)
        orders = Orders.from_json(line)
        redirect(orders.log)
        main(orders, lambda **news: _tell(pid=os.getpid(), **news))
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    finally:
        sys.stderr.flush()
        os._exit(status)


def _bury(living: set[int]) -> None:
    for pid in list(living):
        found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
        if found and os.WIFSTOPPED(status):
            _tell(pid=pid, stopped=True)
        elif found:
            living.discard(pid)
            _tell(pid=pid, status=os.waitstatus_to_exitcode(status))


_VOICE = 1

if __name__ == "__main__":
    _VOICE = os.dup(1)
    os.dup2(2, 1)
    _forks()
