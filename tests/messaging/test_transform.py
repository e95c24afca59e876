"""From topic to topic exactly once, whoever crashes, joins, or wakes up too late."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from dsl.model import TopicModel
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus, Reader, Transform, UndeliverableError
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.kafka_settings import KafkaSettings
from orchestrator.messaging.record import Record
from tests.messaging.conftest import NewTopic, collect
from tests.messaging.zombie import SESSION


@asynccontextmanager
async def running(
    bus: Bus, source: str, transform: Transform, *, group: str = "g"
) -> AsyncIterator[asyncio.Task[None]]:
    """A transformer in a task, stopped in order at the end."""
    stop = asyncio.Event()
    task = asyncio.create_task(bus.transform([source], group, transform, stop=stop))
    yield task
    stop.set()
    async with asyncio.timeout(30):
        await task


async def publish(bus: Bus, topic: str, numbers: Sequence[int]) -> None:
    """Numbers of ten keys."""
    records = [Record(topic, f"k{n % 10}", str(n).encode()) for n in numbers]
    assert await bus.publish_all(records) == {}


def onto(target: str, *, pause: float = 0.0) -> Transform:
    """Copies each record."""

    async def transform(record: Record) -> list[Record]:
        await asyncio.sleep(pause)
        return [Record(target, record.key, record.value)]

    return transform


async def numbers(tap: Reader, count: int) -> list[int]:
    """What arrived, and that nothing came behind it."""
    found = await collect(tap, count, patience=20.0)
    found += await tap.poll(100, 0.3)
    for key in {r.key for r in found}:
        mine = [int(r.value) for r in found if r.key == key]
        assert mine == sorted(mine), key
    return sorted(int(r.value) for r in found)


async def test_each_record_is_transformed_once(bus: Bus, new_topic: NewTopic) -> None:
    """Those of a key in their order; the next run of the group begins where this one ended."""
    source, target = await new_topic(partitions=3), await new_topic(partitions=3)
    tap = await bus.tap([target])
    await publish(bus, source, range(100))
    async with running(bus, source, onto(target)):
        assert await numbers(tap, 100) == list(range(100))
    await publish(bus, source, range(100, 150))
    async with running(bus, source, onto(target)):
        assert await numbers(tap, 50) == list(range(100, 150))


async def test_what_fails_has_no_effect(bus: Bus, new_topic: NewTopic) -> None:
    """Nothing of its transaction is seen, and the next run begins with the same record."""
    source, target = await new_topic(), await new_topic()
    tap = await bus.tap([target])
    await publish(bus, source, [10, 20])

    async def broken(record: Record) -> list[Record]:
        if record.value == b"20":
            raise RuntimeError("a bug")
        return [Record(target, record.key, record.value)]

    with pytest.raises(RuntimeError, match="a bug"):
        async with running(bus, source, broken) as task, asyncio.timeout(20):
            await asyncio.wait((task,))
    with pytest.raises(UndeliverableError):
        async with running(bus, source, onto("nowhere")) as task, asyncio.timeout(20):
            await asyncio.wait((task,))
    async with running(bus, source, onto(target)):
        assert await numbers(tap, 2) == [10, 20]


async def test_another_reader_joins(bus: Bus, new_topic: NewTopic) -> None:
    """The first ends its transactions before the second has its partitions."""
    source, target = await new_topic(partitions=4), await new_topic(partitions=4)
    tap = await bus.tap([target])
    await publish(bus, source, range(200))
    transform = onto(target, pause=0.01)
    async with running(bus, source, transform):
        await publish(bus, source, range(200, 400))
        async with running(bus, source, transform):
            await publish(bus, source, range(400, 600))
            assert await numbers(tap, 600) == list(range(600))


@pytest.fixture
def kafka(stack: DevStack) -> str:
    """The broker's address."""
    return stack.addresses.kafka or ""


async def test_a_producer_that_is_kept_out_is_replaced(kafka: str) -> None:
    """While the partition is still this reader's, it goes on, and repeats nothing."""
    async with KafkaBus(kafka) as bus:
        source, target = "kept-out-source", "kept-out-target"
        await _create(bus, source, target)
        tap = await bus.tap([target])
        begun, gate = asyncio.Event(), asyncio.Event()

        async def transform(record: Record) -> list[Record]:
            begun.set()
            await gate.wait()
            return [Record(target, record.key, record.value)]

        await publish(bus, source, range(20))
        async with running(bus, source, transform):
            await begun.wait()
            # As the next reader of the partition does, when it starts.
            id = f"orchestrate-g-{source}-0"
            async with AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=id):
                gate.set()
                assert await numbers(tap, 20) == list(range(20))


@pytest.mark.parametrize("fenced", [True, False], ids=["fenced", "unfenced"])
async def test_a_zombie_commits_nothing(kafka: str, fenced: bool) -> None:
    """A reader that was stopped in the middle of a record, lost its partition and goes on: what it
    makes of the record is seen by nobody. With the fencing taken out, it is: the record counts
    twice."""
    async with KafkaBus(KafkaSettings(bootstrap=kafka, session_timeout=SESSION)) as bus:
        how = "fenced" if fenced else "unfenced"
        source, target = f"{how}-source", f"{how}-target"
        await _create(bus, source, target)
        tap = await bus.tap([target])
        await publish(bus, source, [1])
        zombie = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.messaging.zombie", kafka, source, target, how, how),
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        try:
            assert zombie.stdout is not None
            async with asyncio.timeout(30):
                assert await zombie.stdout.readline() == b"ready\n"
            zombie.send_signal(signal.SIGSTOP)
            async with running(bus, source, onto(target), group=how):
                assert [r.value for r in await collect(tap, 1, patience=30.0)] == [b"1"]
                zombie.send_signal(signal.SIGCONT)
                if not fenced:
                    doubled = await collect(tap, 1, patience=30.0)
                    assert [r.value for r in doubled] == [b"1 by the zombie"]
                    return
                # It has found out when it takes part in the group again.
                await publish(bus, source, [2])
                found = await collect(tap, 1, patience=30.0)
                assert [r.value[:1] for r in found] == [b"2"]
                assert await tap.poll(10, 2.0) == []
        finally:
            zombie.kill()
            await zombie.wait()


async def _create(bus: Bus, *topics: str) -> None:
    await bus.create_topics([TopicModel(name=name, partitions=1) for name in topics])
