"""How far a group is behind, asked of a real Kafka: by the class and by `orchestrate lag`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest_asyncio

from dsl.model import TopicModel
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.kafka_lag import KafkaLag
from orchestrator.messaging.record import Record
from tests.cli.program import Cli


@pytest_asyncio.fixture(loop_scope="session")
async def topic(kafka_bus: Bus) -> AsyncIterator[str]:
    """A topic of two partitions with five messages in the first."""
    name = f"lag-{uuid4().hex[:8]}"
    await kafka_bus.create_topics([TopicModel(name=name, partitions=2)])
    for _ in range(5):
        await kafka_bus.publish(Record(name, "k", b"x" * 100, partition=0))
    yield name


async def test_a_group_that_is_behind(
    topic: str, kafka_bus: Bus, stack: DevStack, tmp_path: Path
) -> None:
    """The messages that wait are counted, and it is known since when; nobody who left reads on."""
    group = f"{topic}-readers"
    reader = await kafka_bus.reader([topic], group)
    await reader.commit({(topic, 0): 2})
    async with KafkaLag(stack.addresses.kafka or "") as lag:
        [first, second] = await lag.observe([topic], [group])
        assert (first.committed, first.end, first.members) == (2, 5, 1)
        assert first.oldest is not None
        assert (second.committed, second.end, second.oldest) == (0, 0, None)
        await reader.commit({(topic, 0): 5})
        assert [o.end - o.committed for o in await lag.observe(None, [group])] == [0, 0]
        await reader.commit({(topic, 0): 4})
        await reader.close()
        [left, _] = await lag.observe([topic])
        assert (left.committed, left.members) == (4, 0)
    found = await asyncio.to_thread(told, stack, tmp_path, group)
    [waiting, empty] = found
    assert (waiting["messages"], waiting["status"]) == (1, "stalled")
    assert waiting["seconds"] > 0
    assert (empty["topic"], empty["messages"], empty["status"]) == (topic, 0, "ok")


def told(stack: DevStack, folder: Path, group: str) -> Any:
    """What the command says of a group."""
    env = {"ORCHESTRATE_KAFKA": stack.addresses.kafka or ""}
    asked = ("lag", "--group", group, "--every", "0.5", "--still", "0")
    shown = Cli(folder).call(*asked, env=env)
    assert shown.code == 0 and "stalled" in shown.out, shown
    return json.loads(Cli(folder).call(*asked, "--json", env=env).out)


async def test_what_a_transaction_leaves_behind(
    topic: str, kafka_bus: Bus, stack: DevStack
) -> None:
    """The mark at its end is no message that waits."""
    out, group, stop = f"{topic}-out", f"{topic}-made", asyncio.Event()
    await kafka_bus.create_topics([TopicModel(name=out, partitions=1)])
    tap = await kafka_bus.tap([out])

    async def copy(record: Record) -> list[Record]:
        return [Record(out, record.key, record.value)]

    work = asyncio.create_task(kafka_bus.transform([topic], group, copy, stop=stop))
    seen = 0
    async with asyncio.timeout(60):
        while seen < 5:
            seen += len(await tap.poll(10, 1.0))
    stop.set()
    await work
    await tap.close()
    reader = await kafka_bus.reader([out], group)
    await reader.commit({(out, 0): 5})
    await reader.close()
    async with KafkaLag(stack.addresses.kafka or "") as lag:
        [of_out] = await lag.observe([out])
    assert of_out.end > 5 and of_out.committed == of_out.end
