"""A service that stops ends what it has begun, and nothing more."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from orchestrator.messaging.memory import MemoryBus
from orchestrator.service import Service
from orchestrator.service.relay import Relay
from tests.service.conftest import Shop, check, reservations

_ROOT = Path(__file__).parents[2]


async def test_a_stop_lets_handlers_end_and_flushes_the_outbox(shop: Shop) -> None:
    """What was begun is answered and its events are published; what was not is left to the next
    start."""
    begun, go = asyncio.Event(), asyncio.Event()
    messages = shop.service.messages

    @shop.service.handles("ReserveStock")
    async def reserve(command: Any, session: Any, context: Any) -> Any:
        begun.set()
        await go.wait()
        await session.execute(insert(reservations).values(id=context.message_id))
        context.publish(messages.StockLow(order_id=command.order_id, sku="a", left=1))
        return messages.StockReserved(order_id=command.order_id, reservation_id="r1")

    await shop.start()
    await shop.send(shop.command("one"))
    await shop.send(shop.command("two"))
    await begun.wait()
    [(stop, task)] = shop.tasks
    stop.set()
    await asyncio.sleep(0)
    assert not task.done()
    go.set()
    await shop.stop()
    assert await shop.reserved() == ["one"]
    ids = {str(r.header("ce_id"), "utf-8") for r in await shop.next(2)}
    assert ids == {"one:reply", "one:event:0"}
    await shop.start()
    await shop.send(shop.command("three"))
    await shop.next(2)
    await shop.stop()
    assert await shop.reserved() == ["one", "three", "two"]


@asynccontextmanager
async def process(
    url: str, seconds: float, drain: float
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A participant in a process of its own, with a command under way."""
    command = [sys.executable, "-m", "tests.service.stopping", url, str(seconds), str(drain)]
    started = await asyncio.create_subprocess_exec(
        *command, cwd=_ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert started.stdout is not None
        while (line := await started.stdout.readline()) != b"handling\n":
            assert line, (await started.communicate())[1].decode()
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def test_sigterm_drains(tmp_path: Path) -> None:
    """The command under way is answered, its event published; the one behind it is not begun."""
    async with process(f"sqlite:///{tmp_path}/a.db", 1.0, 60.0) as running:
        running.send_signal(signal.SIGTERM)
        out, _ = await running.communicate()
    said = [line for line in out.decode().splitlines() if line in _SAID or line.startswith("sent")]
    assert said == ["sent one:event:0 one:reply", "stopped"]
    assert running.returncode == 0


async def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    """What is not committed comes again at the next start."""
    async with process(f"sqlite:///{tmp_path}/a.db", 3600.0, 3600.0) as running:
        running.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.5)
        assert running.returncode is None
        running.send_signal(signal.SIGTERM)
        out, _ = await running.communicate()
    assert "sent" in out.decode().split()
    assert "one:reply" not in out.decode()
    assert running.returncode != 0


async def test_what_does_not_end_in_time_is_left(tmp_path: Path) -> None:
    """After `drain` seconds; the service ends in order, without the answer."""
    began = time.monotonic()
    async with process(f"sqlite:///{tmp_path}/a.db", 3600.0, 0.2) as running:
        running.send_signal(signal.SIGTERM)
        out, _ = await running.communicate()
    assert "one:reply" not in out.decode()
    assert "stopped" in out.decode().splitlines()
    assert running.returncode == 0
    assert time.monotonic() - began < 1000


async def test_a_relay_that_dies_ends_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or events would be missing, and nobody told."""

    async def dies(self: Relay) -> int:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Relay, "round", dies)
    service = Service("inventory", program=check())

    @service.handles("ReserveStock")
    async def reserve(command: Any) -> Any: ...

    async with MemoryBus() as bus:
        with pytest.raises(RuntimeError, match="a bug"):
            await service.serve(bus, f"sqlite:///{tmp_path}/a.db", stop=asyncio.Event())


_SAID = ("handling", "stopped")
