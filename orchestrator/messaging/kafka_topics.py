"""Which topics a Kafka cluster has, and making new ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from dsl.model import TopicModel
from orchestrator.messaging.bus import BusError
from orchestrator.messaging.kafka_settings import KafkaSettings
from orchestrator.messaging.topics import topic_problem


class KnownTopics:
    """The topics that may be written to. Asked for by name, a broker may create one with its own
    number of partitions, and a client waits long for one that is not there."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._asking = asyncio.Lock()
        self._known: set[str] = set()

    def __contains__(self, topic: str) -> bool:
        return topic in self._known

    async def find(self, topic: str) -> None:
        """Asks the broker, once for all who ask at the same time. Raises UndeliverableError."""
        async with self._asking:
            if topic not in self._known:
                self._known |= (await partition_counts(self._settings)).keys()
        if topic not in self._known:
            raise self._settings.no_topic(topic)

    def forget(self, topic: str) -> None:
        """It was refused: it has to be found again."""
        self._known.discard(topic)


@asynccontextmanager
async def _admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client for a few requests. Made anew each time: it does not outlive a broker's restart."""
    admin = AIOKafkaAdminClient(
        **settings.options("admin"), request_timeout_ms=int(settings.connect_limit * 1000)
    )
    try:
        try:
            async with asyncio.timeout(settings.connect_limit):
                await admin.start()
        except (KafkaError, OSError, TimeoutError):
            raise settings.unreachable() from None
        yield admin
    finally:
        await admin.close()


async def partition_counts(settings: KafkaSettings) -> dict[str, int]:
    """Every topic that the login may see, with its number of partitions that have a leader."""
    async with _admin(settings) as admin:
        return await _counts(settings, admin)


async def create_topics(settings: KafkaSettings, topics: Sequence[TopicModel]) -> list[str]:
    """Creates what is missing and waits until it can be written to; returns the new names."""
    for topic in topics:
        if problem := topic_problem(topic.name):
            raise BusError(f"`{topic.name[:80]}` cannot be a topic's name: {problem}")
    async with _admin(settings) as admin:
        present = await _counts(settings, admin)
        missing = {t.name: t for t in topics if t.name not in present}
        if not missing:
            return []
        created = await _create(settings, admin, list(missing.values()))
        await _until_led(settings, admin, [missing[name] for name in created])
        return created


async def _create(
    settings: KafkaSettings, admin: AIOKafkaAdminClient, topics: list[TopicModel]
) -> list[str]:
    # Protocol version 3 is the highest that aiokafka speaks; -1, the broker's default, came in 4.
    replication = settings.replication or min(3, len((await admin.describe_cluster())["brokers"]))
    requests = [
        NewTopic(
            name=t.name,
            num_partitions=t.partitions,
            replication_factor=replication,
            topic_configs=_configs(t),
        )
        for t in topics
    ]
    try:
        answer = await admin.create_topics(requests)
    except (KafkaError, OSError, TimeoutError) as error:
        raise _failure(settings, "to create topics", error) from error
    created = []
    for name, code, message in answer.topic_errors:
        if code == TopicAlreadyExistsError.errno:
            continue  # somebody else was quicker
        if code:
            raise BusError(
                f"Kafka at `{settings.bootstrap}` refused to create topic `{name}`: "
                f"{message or for_code(code).message}"
            )
        created.append(name)
    return created


def _configs(topic: TopicModel) -> dict[str, str]:
    if topic.retention is None:
        return {}
    return {"retention.ms": str(topic.retention // timedelta(milliseconds=1))}


async def _counts(settings: KafkaSettings, admin: AIOKafkaAdminClient) -> dict[str, int]:
    try:
        found = await admin.describe_topics()
    except (KafkaError, OSError, TimeoutError) as error:
        raise _failure(settings, "to list topics", error) from error
    return {
        t["topic"]: sum(1 for p in t["partitions"] if p["leader"] >= 0)
        for t in found
        if not t["error_code"]
    }


def _failure(settings: KafkaSettings, what: str, error: Exception) -> BusError:
    """A broker that went away in the middle is no refusal."""
    if isinstance(error, KafkaError) and not error.retriable:
        return settings.refused(what, error)
    return settings.unreachable()


async def _until_led(
    settings: KafkaSettings, admin: AIOKafkaAdminClient, topics: list[TopicModel]
) -> None:
    """A new topic is announced before its partitions have leaders."""
    try:
        async with asyncio.timeout(settings.connect_limit * 2):
            while True:
                counts = await _counts(settings, admin)
                if all(counts.get(t.name, 0) >= t.partitions for t in topics):
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        names = ", ".join(f"`{t.name}`" for t in topics)
        raise BusError(
            f"Kafka at `{settings.bootstrap}` created {names} but chose no leaders: "
            "are all of its brokers running?"
        ) from None
