"""What the tests of the embedded servers share: looking at processes from outside."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from orchestrator.dev.identity import Identity

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def listening() -> Callable[[int], set[tuple[str, int]]]:
    """The (address, port) pairs that a process listens on."""

    def look(pid: int) -> set[tuple[str, int]]:
        found = psutil.Process(pid).net_connections(kind="inet")
        return {(each.laddr.ip, each.laddr.port) for each in found if each.status == "LISTEN"}

    return look


@pytest.fixture
def gone() -> Callable[..., bool]:
    """Whether all these processes end within the limit (seconds)."""

    def wait(*pids: int, limit: float = 20.0) -> bool:
        end = time.monotonic() + limit
        while any(Identity.of(pid) for pid in pids):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    return wait


@pytest.fixture
def script() -> Iterator[Callable[..., Awaitable[asyncio.subprocess.Process]]]:
    """Run Python code as a process of its own; it is killed when the test ends."""
    started: list[asyncio.subprocess.Process] = []

    async def run(code: str, *arguments: object) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            code,
            *map(str, arguments),
            cwd=REPOSITORY,
            stdout=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.returncode is None:
            process.kill()
