"""The buses under test: the in-process one and a real Kafka."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from dsl.model import TopicModel
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus, Reader
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.memory import MemoryBus
from orchestrator.messaging.record import Record

_numbers = itertools.count()

NewTopic = Callable[..., Awaitable[str]]


@pytest.fixture(params=["memory", "kafka"])
def bootstrap(request: pytest.FixtureRequest) -> str | None:
    """None for the in-process bus; the broker starts with the first test that wants it."""
    if request.param == "memory":
        return None
    stack: DevStack = request.getfixturevalue("stack")
    return stack.addresses.kafka


@pytest_asyncio.fixture
async def bus(bootstrap: str | None) -> AsyncIterator[Bus]:
    """Each bus in turn."""
    opened: Bus = MemoryBus() if bootstrap is None else KafkaBus(bootstrap)
    async with opened:
        yield opened


@pytest.fixture
def new_topic(bus: Bus) -> NewTopic:
    """Makes a topic with a name of its own: `await new_topic(partitions=3)`."""

    async def make(partitions: int = 1) -> str:
        name = f"topic-{next(_numbers)}"
        await bus.create_topics([TopicModel(name=name, partitions=partitions)])
        return name

    return make


async def eventually(condition: Callable[[], bool], limit: float = 60.0) -> None:
    """Waits until it holds; fails after `limit` seconds."""
    async with asyncio.timeout(limit):
        while not condition():  # noqa: ASYNC110 - of what another program did, no event tells
            await asyncio.sleep(0.01)


async def collect(
    reader: Reader, count: int, *, limit: int = 100, patience: float = 5.0
) -> list[Record]:
    """Polls until `count` records came; fails when a poll of so many seconds brings none."""
    found: list[Record] = []
    while len(found) < count:
        records = await reader.poll(limit, patience)
        assert records, f"only {len(found)} of {count} records came"
        found += records
    return found
