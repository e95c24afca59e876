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
from orchestrator.messaging.bus import BusError
from orchestrator.messaging.consumer import KeyedConsumer
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.kafka_settings import KafkaSettings
from orchestrator.messaging.record import Record
from tests.messaging.conftest import eventually


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


async def test_publishing_to_a_dead_broker_fails_in_time(own_kafka: KafkaServer) -> None:
    """The limit is a setting."""
    settings = KafkaSettings(bootstrap=own_kafka.bootstrap, publish_limit=2.0)
    async with KafkaBus(settings) as bus:
        await bus.create_topics([TopicModel(name="t", partitions=1)])
        await bus.publish(Record("t", "k", b"1"))
        own_kafka.kill()
        began = time.monotonic()
        with pytest.raises(BusError, match="did not acknowledge"):
            await bus.publish(Record("t", "k", b"2"))
        assert time.monotonic() - began < 15
        failed = await bus.publish_all([Record("t", "k", b"3"), Record("t", "k", b"4")])
        assert sorted(failed) == [0, 1]
        assert time.monotonic() - began < 30


async def test_a_restarted_broker_loses_nothing(own_kafka: KafkaServer) -> None:
    """Producer and consumer go on by themselves; every acknowledged record is handled, those that
    were not acknowledged after being sent again."""
    settings = KafkaSettings(bootstrap=own_kafka.bootstrap, publish_limit=3.0)
    seen: dict[int, int] = {}

    async def handle(record: Record) -> None:
        seen[int(record.value)] = seen.get(int(record.value), 0) + 1

    async with KafkaBus(settings) as bus:
        await bus.create_topics([TopicModel(name="t", partitions=3)])
        stop = asyncio.Event()
        reader = await bus.reader(["t"], "g")
        running = asyncio.create_task(KeyedConsumer(reader, handle).run(stop))

        async def publish(number: int) -> None:
            while True:
                try:
                    return await bus.publish(Record("t", f"k{number % 7}", str(number).encode()))
                except BusError:
                    await asyncio.sleep(0.1)

        await asyncio.gather(*(publish(n) for n in range(100)))
        own_kafka.kill()
        during = asyncio.gather(*(publish(n) for n in range(100, 200)))
        await own_kafka.start()
        await during
        await asyncio.gather(*(publish(n) for n in range(200, 300)))
        await eventually(lambda: len(seen) == 300, 60)
        stop.set()
        await running
    assert sorted(seen) == list(range(300))
