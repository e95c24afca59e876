"""The port to a message bus: what the rest of the project knows of Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Literal, Protocol, Self

from dsl.model import TopicModel
from orchestrator.messaging.record import Record, TopicPartition

#: Where a group without a committed offset begins.
Start = Literal["earliest", "latest"]

#: Told the partitions that were taken or given; the rebalance waits for it.
OnRebalance = Callable[[frozenset[TopicPartition]], Awaitable[None]]

#: What one record is turned into.
Transform = Callable[[Record], Awaitable[Sequence[Record]]]


class BusError(Exception):
    """The bus is out of reach or refuses; the message is one sentence for a person."""


class AwayError(BusError):
    """The bus does not answer; it may when it is tried again."""


class UndeliverableError(BusError):
    """This record will never be taken: no such topic or partition, too large, not allowed."""


class CommitError(BusError):
    """Offsets were not committed because the group has moved on: other readers own the
    partitions now and will see those records again."""


class Reader(Protocol):
    """Reads topics: as a member of a group, or on its own (`Bus.tap`).

    Used by one task at a time, but for `commit`, `pause`, `resume` and `assignment`, which may be
    called beside a running `poll`.
    """

    async def poll(self, limit: int, timeout: float) -> list[Record]:  # noqa: ASYNC109
        """At most `limit` records, in order within a partition; empty after `timeout` seconds
        without one. Outages of the broker are waited out. Raises BusError for what will not pass
        (not authorised, reader closed)."""

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commits, for each partition, the offset of the next record to read. Raises CommitError
        after a rebalance, BusError when the broker does not answer."""

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that this reader holds now."""

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """`poll` returns nothing of these until `resume`; forgotten when they are revoked. Those
        not assigned are ignored."""

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Undoes `pause`."""

    def on_revoked(self, callback: OnRebalance) -> None:
        """Sets what is awaited before partitions go to another reader; commits of them are still
        possible meanwhile. Every rebalance takes all partitions first. Not called by `close`."""

    def on_assigned(self, callback: OnRebalance) -> None:
        """Sets what is awaited when partitions were given; not for those held already."""

    async def close(self) -> None:
        """Leaves the group. Nothing is committed. May be called twice."""


class Bus(Protocol):
    """A message bus, entered before use: `async with KafkaBus(…) as bus`."""

    async def __aenter__(self) -> Self:
        """Connects. Raises BusError when nothing answers."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Sends what is under way and disconnects; open readers are closed."""

    async def publish(self, record: Record) -> None:
        """Returns when all in-sync replicas have the record. Concurrent calls travel in batches:
        gather them rather than await one by one; only records of one key that need their order
        are awaited one by one. Raises UndeliverableError when trying again is of no use; after
        any other BusError it is unknown whether the record arrived."""

    async def publish_all(self, records: Sequence[Record]) -> dict[int, BusError]:
        """Publishes many at once, at a fraction of what as many `publish` cost. Returns when each
        was acknowledged or failed: what failed, by its place in `records`; the errors are those of
        `publish`. Records of one key arrive in their order, but behind one that failed the later
        ones of its key may have arrived."""

    async def create_topics(self, topics: Sequence[TopicModel]) -> list[str]:
        """Creates the topics that are missing and returns their names, in the given order.
        Existing ones are left as they are. Raises BusError naming the topic that was refused."""

    async def topics(self) -> list[str]:
        """The names of all topics there are. Raises BusError."""

    async def reader(
        self, topics: Sequence[str], group: str, *, start: Start = "earliest"
    ) -> Reader:
        """Joins `group`, and returns when partitions were assigned. Raises BusError, also for a
        topic that does not exist."""

    async def transform(
        self, topics: Sequence[str], group: str, transform: Transform, *, stop: asyncio.Event
    ) -> None:
        """Exactly once from topics to topics, until `stop` is set: what `transform` makes of a
        record is seen by readers if and only if the record counts as read by the group. After a
        crash, and when a reader is given up too late, `transform` runs again for a record, so that
        it must have no effect of its own. Keys run side by side, one key never; outputs keep the
        order of the records. Raises what `transform` raises, and BusError."""

    async def tap(self, topics: Sequence[str]) -> Reader:
        """Reads all partitions from their present end, without a group: every record published
        after this returns is seen. `commit` does nothing."""
