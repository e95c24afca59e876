"""What Kafka knows of the groups that read topics, and how long messages have waited for them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Self

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import KafkaError

from orchestrator.messaging.kafka_options import stop_client
from orchestrator.messaging.kafka_settings import NOT_ALLOWED, KafkaSettings
from orchestrator.messaging.lag import Observation

#: Seconds that the look for the oldest messages may take.
_LOOK = 3.0

_Offsets = Mapping[KafkaPartition, int]


class KafkaLag:
    """Observes groups, while it is entered. It joins none of them."""

    def __init__(self, settings: KafkaSettings | str) -> None:
        self._settings = (
            KafkaSettings(bootstrap=settings) if isinstance(settings, str) else settings
        )

    async def __aenter__(self) -> Self:
        """Raises BusError."""
        options = self._settings.options("lag")
        limit = int(self._settings.connect_limit * 1000)
        self._admin = AIOKafkaAdminClient(**options, request_timeout_ms=limit)
        self._consumer = AIOKafkaConsumer(
            **options,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=1,  # a record is all that is wanted: Kafka gives one whole
        )
        try:
            async with asyncio.timeout(self._settings.connect_limit):
                await self._admin.start()
                await self._consumer.start()
        except (KafkaError, OSError, TimeoutError) as error:
            await self.__aexit__()
            if isinstance(error, NOT_ALLOWED):
                raise self._settings.refused("the login", error) from error
            raise self._settings.unreachable() from error
        return self

    async def __aexit__(self, *error: object) -> None:
        await stop_client(self._consumer, 1.0)
        await self._admin.close()

    async def observe(
        self, topics: Collection[str] | None = None, groups: Collection[str] | None = None
    ) -> list[Observation]:
        """Every partition of these topics, as each of these groups has read it; None is all that
        there are. Raises BusError."""
        try:
            async with asyncio.timeout(self._settings.connect_limit * 4):
                return await self._observe(topics, groups)
        except NOT_ALLOWED as error:
            raise self._settings.refused("to tell of its groups", error) from error
        except (KafkaError, OSError, TimeoutError) as error:
            raise self._settings.unreachable() from error

    async def _observe(
        self, topics: Collection[str] | None, groups: Collection[str] | None
    ) -> list[Observation]:
        partitions = {
            topic["topic"]: [p["partition"] for p in topic["partitions"]]
            for topic in await self._admin.describe_topics()
            if not topic["error_code"] and (topics is None or topic["topic"] in topics)
        }
        found: list[Observation] = []
        for group in sorted(await self._groups(groups)):
            committed, members = await self._state(group)
            read = {p.topic for p in committed} & partitions.keys()
            places = [KafkaPartition(t, p) for t in read for p in partitions[t]]
            if places:
                at = {p: committed.get(p, -1) for p in places}
                found += await self._of(group, at, members)
        return found

    async def _groups(self, asked: Collection[str] | None) -> set[str]:
        present = {name for name, _ in await self._admin.list_consumer_groups()}
        return present if asked is None else present & set(asked)

    async def _state(self, group: str) -> tuple[dict[KafkaPartition, int], int]:
        """The offsets that the group has committed, -1 where it has read nothing yet, and how many
        readers it has."""
        [described] = await self._admin.describe_consumer_groups([group])
        members = described.groups[0][5]
        found = {p: -1 for member in members for p in _assigned(member[4])}
        for partition, at in (await self._admin.list_consumer_group_offsets(group)).items():
            found[partition] = at.offset
        return found, len(members)

    async def _of(
        self, group: str, committed: dict[KafkaPartition, int], members: int
    ) -> list[Observation]:
        places = list(committed)
        ends: _Offsets = await self._consumer.end_offsets(places)
        starts: _Offsets = await self._consumer.beginning_offsets(places)
        # What is not there any more cannot be read, and nobody waits for it.
        at = {p: max(committed[p], starts[p]) if committed[p] >= 0 else starts[p] for p in places}
        oldest = await self._oldest({p: o for p, o in at.items() if o < ends[p]})
        return [
            Observation(
                group=group,
                topic=p.topic,
                partition=p.partition,
                # Behind the last message there may be a transaction's mark, which is none.
                committed=at[p] if p in oldest or at[p] >= ends[p] else ends[p],
                end=ends[p],
                oldest=oldest.get(p),
                members=members,
            )
            for p in places
        ]

    async def _oldest(self, offsets: _Offsets) -> dict[KafkaPartition, datetime | None]:
        """When the first message at or behind these offsets was published; without those that have
        none there. What does not answer in time is there, and nobody knows since when."""
        if not offsets:
            return {}
        self._consumer.assign(list(offsets))
        for partition, offset in offsets.items():
            self._consumer.seek(partition, offset)
        found: dict[KafkaPartition, datetime | None] = {}
        left, clock = set(offsets), asyncio.get_running_loop().time
        until = clock() + _LOOK
        while left and clock() < until:
            got = await self._consumer.getmany(*left, timeout_ms=200, max_records=len(left))
            for partition, records in got.items():
                if records:
                    stamp = records[0].timestamp
                    found[partition] = datetime.fromtimestamp(stamp / 1000, UTC)
            left -= found.keys()
            left -= await self._ended(left)
        return found | dict.fromkeys(left)

    async def _ended(self, partitions: set[KafkaPartition]) -> set[KafkaPartition]:
        """Those that were read to their end, and held no message."""
        ends: _Offsets = await self._consumer.end_offsets(list(partitions)) if partitions else {}
        return {p for p in partitions if await self._consumer.position(p) >= ends[p]}


def _assigned(assignment: bytes) -> list[KafkaPartition]:
    if not assignment:
        return []
    read: Any = ConsumerProtocolMemberAssignment.decode(assignment)
    return list(read.partitions())
