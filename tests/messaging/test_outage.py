"""Kafka that is down, goes down, and comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from dsl.model import TopicModel
from orchestrator.dev.kafka import KafkaServer
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus, BusError
from orchestrator.messaging.consumer import KeyedConsumer
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.kafka_options import stop_client
from orchestrator.messaging.kafka_settings import KafkaSettings
from orchestrator.messaging.record import Record
from tests.messaging.conftest import collect, eventually
from tests.tasks import lasting


@pytest_asyncio.fixture
async def own_kafka(tmp_path: Path) -> AsyncIterator[KafkaServer]:
    """A broker that a test may kill."""
    async with KafkaServer(tmp_path) as server:
        yield server


async def test_a_broker_that_is_down_is_an_error_within_seconds(unused_tcp_port: int) -> None:
    """The address is named, and what to do."""
    began = time.monotonic()
    with pytest.raises(BusError) as caught:
        async with KafkaBus(f"127.0.0.1:{unused_tcp_port}"):
            pass
    assert time.monotonic() - began < 30
    assert f"`127.0.0.1:{unused_tcp_port}`: is it running?" in str(caught.value)


async def test_a_port_that_never_answers_is_an_error_within_seconds() -> None:
    """Something listens there, but it is no Kafka."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = KafkaSettings(bootstrap=f"127.0.0.1:{port}", connect_limit=1.0)
    began = time.monotonic()
    with pytest.raises(BusError, match="is it running"):
        async with KafkaBus(settings):
            pass
    assert time.monotonic() - began < 30
    server.close()


def test_the_password_is_not_shown() -> None:
    """Settings end up in logs."""
    settings = KafkaSettings(bootstrap="h:1", sasl_user="u", sasl_password="secret")
    assert "secret" not in repr(settings)
    assert settings.options("x")["security_protocol"] == "SASL_PLAINTEXT"


async def test_a_login_that_is_refused(stack: DevStack) -> None:
    """One sentence asks for the login, and does not show the password."""
    settings = KafkaSettings(
        bootstrap=stack.addresses.kafka or "", sasl_user="u", sasl_password="secret"
    )
    with pytest.raises(BusError, match="login") as caught:
        async with KafkaBus(settings):
            pass
    assert "secret" not in str(caught.value)


async def test_publishing_to_a_dead_broker_fails_in_time(own_kafka: KafkaServer) -> None:
    """The limit is a setting. A bus that is closed then tries no longer: nothing of it is left."""
    settings = KafkaSettings(bootstrap=own_kafka.bootstrap, publish_limit=2.0)
    before = asyncio.all_tasks()
    async with KafkaBus(settings) as bus:
        await bus.create_topics([TopicModel(name="t", partitions=1)])
        await bus.publish(Record("t", "k", b"1"))
        await bus.reader(["t"], "g")
        own_kafka.kill()
        began = time.monotonic()
        with pytest.raises(BusError, match="did not acknowledge"):
            await bus.publish(Record("t", "k", b"2"))
        assert time.monotonic() - began < 15
        failed = await bus.publish_all([Record("t", "k", b"3"), Record("t", "k", b"4")])
        assert sorted(failed) == [0, 1]
        assert time.monotonic() - began < 30
        began = time.monotonic()
    assert time.monotonic() - began < 15
    assert await lasting(asyncio.all_tasks() - before) == set()


class Fetching:
    """Stops as aiokafka's consumer does while its fetcher waits for a broker that is away."""

    def __init__(self) -> None:
        self.client, self.closed = self, False

    async def stop(self) -> None:
        """Cancels a task of its own, and awaits it."""
        task = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        task.cancel()
        await task

    async def close(self) -> None:
        """What its connections do."""
        self.closed = True


async def test_a_client_that_ends_cancels_nobody() -> None:
    """It ended a transformer, and nobody was told, that a consumer cancels its own fetching."""
    client = Fetching()
    await stop_client(client, 5.0)
    assert client.closed


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "stopped"])
async def test_a_restarted_broker_loses_nothing(own_kafka: KafkaServer, killed: bool) -> None:
    """Producer, consumer and transformer go on by themselves. Every acknowledged record is handled,
    those that were not acknowledged after being sent again; and each that is there is transformed
    once, partition by partition in the same order, as who reads committed records sees it."""
    settings = KafkaSettings(bootstrap=own_kafka.bootstrap, publish_limit=3.0)
    seen: dict[int, int] = {}

    async def handle(record: Record) -> None:
        seen[int(record.value)] = seen.get(int(record.value), 0) + 1

    async def copy(record: Record) -> list[Record]:
        await asyncio.sleep(0.01)
        return [Record("copies", record.key, record.value)]

    async with KafkaBus(settings) as bus:
        await bus.create_topics([TopicModel(name=n, partitions=3) for n in ("t", "copies")])
        stop = asyncio.Event()
        reader = await bus.reader(["t"], "g")
        running = asyncio.gather(
            KeyedConsumer(reader, handle).run(stop),
            bus.transform(["t"], "copying", copy, stop=stop),
        )

        async def publish(number: int) -> None:
            while True:
                try:
                    return await bus.publish(Record("t", f"k{number % 7}", str(number).encode()))
                except BusError:
                    await asyncio.sleep(0.1)

        await asyncio.gather(*(publish(n) for n in range(100)))
        # Transactions are under way, or about to be.
        if killed:
            own_kafka.kill()
        else:
            await own_kafka.stop()
        during = asyncio.gather(*(publish(n) for n in range(100, 200)))
        await own_kafka.start()
        await during
        await asyncio.gather(*(publish(n) for n in range(200, 300)))
        await eventually(lambda: len(seen) == 300, 60)
        there = await _all(bus, "t", 300)
        copied = await _all(bus, "copies", sum(map(len, there.values())))
        stop.set()
        await running
    assert sorted(seen) == list(range(300))
    assert copied == there


async def _all(
    bus: Bus, topic: str, least: int
) -> dict[int | None, list[tuple[str | None, bytes]]]:
    """What a topic holds, by partition: so much, and what else comes within a moment."""
    reader = await bus.reader([topic], f"all-{topic}")
    found = await collect(reader, least, patience=60.0)
    while more := await reader.poll(500, 1.0):
        found += more
    await reader.close()
    return {
        p: [(r.key, r.value) for r in found if r.partition == p]
        for p in {r.partition for r in found}
    }
