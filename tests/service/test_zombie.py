"""A participant that stands still, loses its partitions, and goes on later."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from dsl.model import TopicModel
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.kafka_settings import KafkaSettings
from tests.service.conftest import Shop, until
from tests.service.zombie import SESSION, settling


@pytest.mark.parametrize("protection", ["protected", "unprotected"])
async def test_a_zombie_has_no_effect(stack: DevStack, tmp_path: Path, protection: str) -> None:
    """What is delivered exactly once has one effect, though two processes handle it: the inbox
    knows it. With the inbox taken out there are two."""
    bootstrap, url = stack.addresses.kafka or "", f"sqlite:///{tmp_path}/a.db"
    number = 901 if protection == "protected" else 902
    async with KafkaBus(KafkaSettings(bootstrap=bootstrap, session_timeout=SESSION)) as bus:
        shop = Shop(bus, url, number, "replies")
        settling(shop.service)
        zombie = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.service.zombie", bootstrap, url, str(number)),
            protection,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        try:
            await bus.create_topics([*shop.topics, TopicModel(name=shop.orders, partitions=3)])
            await shop.tell("one", type="orders.Settled")
            await _said(zombie, b"ready\n")
            await _stand_still(zombie, tmp_path / "a.db")
            await shop.start()
            await until(lambda: _are(shop, ["one"]))
            zombie.send_signal(signal.SIGCONT)
            await _said(zombie, b"handled\n")
            effects = 1 if protection == "protected" else 2
            assert await _are(shop, ["one"] * effects)
        finally:
            zombie.kill()
            await zombie.wait()
            await shop.stop()


async def _stand_still(zombie: asyncio.subprocess.Process, database: Path) -> None:
    """Stops it, but not in the middle of a transaction, which others would wait for."""
    while True:
        zombie.send_signal(signal.SIGSTOP)
        while psutil.Process(zombie.pid).status() != psutil.STATUS_STOPPED:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        if _is_free(database):
            return
        zombie.send_signal(signal.SIGCONT)
        await asyncio.sleep(0.01)


def _is_free(database: Path) -> bool:
    """Whether nobody is about to write."""
    with closing(sqlite3.connect(database, timeout=0)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.rollback()
        return True


async def _said(zombie: asyncio.subprocess.Process, text: bytes) -> None:
    """Waits until it has said so, between the lines of its log."""
    assert zombie.stdout is not None
    async with asyncio.timeout(60):
        while (line := await zombie.stdout.readline()) != text:
            assert line, f"it ended before it said {text!r}"


async def _are(shop: Shop, effects: list[str]) -> bool:
    return [row.partition(" ")[0] for row in await shop.reserved()] == effects
