"""Readers and groups of the in-process bus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from orchestrator.messaging.bus import BusError, CommitError, OnRebalance, Start
from orchestrator.messaging.memory_log import Log
from orchestrator.messaging.record import Record, TopicPartition

Logs = dict[TopicPartition, Log]


class Group:
    """The readers that share topics, and how far they have come."""

    def __init__(self) -> None:
        self.members: list[MemoryReader] = []
        self.committed: dict[TopicPartition, int] = {}
        self._rebalancing = asyncio.Lock()

    async def join(self, reader: MemoryReader) -> None:
        """Shares the partitions out again, with one reader more."""
        async with self._rebalancing:
            await self._revoke()
            self.members.append(reader)
            await self._assign()

    async def leave(self, reader: MemoryReader) -> None:
        """Shares the partitions out again, with one reader less."""
        async with self._rebalancing:
            if reader not in self.members:
                return
            self.members.remove(reader)
            await self._revoke()
            await self._assign()

    async def _revoke(self) -> None:
        await asyncio.gather(*(member.give_up() for member in self.members))

    async def _assign(self) -> None:
        shares: dict[MemoryReader, Logs] = {member: {} for member in self.members}
        partitions = {p: log for m in self.members for p, log in m.wanted.items()}
        for turn, (partition, log) in enumerate(sorted(partitions.items(), key=lambda i: i[0])):
            takers = [m for m in self.members if partition in m.wanted]
            shares[takers[turn % len(takers)]][partition] = log
        for member, logs in shares.items():
            await member.take_over(logs)


class _Positions:
    """What both kinds of reader do: wait for records and take them in turns."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._wake = asyncio.Event()
        self._closed = False

    async def poll(self, limit: int, timeout: float) -> list[Record]:  # noqa: ASYNC109
        """See `Reader`."""
        deadline = asyncio.get_running_loop().time() + timeout
        await asyncio.sleep(0)  # a reader with records at hand lets others run, too
        while True:
            if self._closed:
                raise BusError("the reader is closed")
            if found := self._take(limit):
                return found
            self._wake.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._wake.wait()
            except TimeoutError:
                return []

    def assignment(self) -> frozenset[TopicPartition]:
        """See `Reader`."""
        return frozenset(self._positions)

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """See `Reader`."""
        self._paused |= set(partitions) & self.assignment()

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """See `Reader`."""
        self._paused -= set(partitions)
        self._wake.set()

    def _take(self, limit: int) -> list[Record]:
        found: list[Record] = []
        for partition in list(self._positions):
            if len(found) >= limit:
                break
            if partition in self._paused:
                continue
            log, position = self._logs[partition], self._positions[partition]
            if records := log.read(position, limit - len(found)):
                found += records
                # Put back at the end, so that all partitions have their turn.
                del self._positions[partition]
                self._positions[partition] = max(position, log.begin) + len(records)
        return found

    def _listen(self, on: bool) -> None:
        for partition in self._positions:
            listeners = self._logs[partition].listeners
            (listeners.add if on else listeners.discard)(self._wake)


class MemoryTap(_Positions):
    """See `Bus.tap`."""

    def __init__(self, logs: Logs) -> None:
        super().__init__(logs)
        self._positions = {p: log.end for p, log in logs.items()}
        self._listen(True)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Does nothing: there is no group."""

    def on_revoked(self, callback: OnRebalance) -> None:
        """Never called."""

    def on_assigned(self, callback: OnRebalance) -> None:
        """Never called."""

    async def close(self) -> None:
        """See `Reader`."""
        self._closed = True
        self._listen(False)
        self._wake.set()


class MemoryReader(_Positions):
    """See `Bus.reader`."""

    def __init__(self, group: Group, logs: Logs, start: Start) -> None:
        super().__init__(logs)
        self.wanted = logs
        self._group = group
        self._start = start
        self._when_revoked: OnRebalance | None = None
        self._when_assigned: OnRebalance | None = None

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Reader`."""
        if not all(p in self._owned for p in offsets):
            raise CommitError("the group has moved on, its records will be read again")
        self._group.committed.update(offsets)

    def on_revoked(self, callback: OnRebalance) -> None:
        """See `Reader`."""
        self._when_revoked = callback

    def on_assigned(self, callback: OnRebalance) -> None:
        """See `Reader`."""
        self._when_assigned = callback

    async def close(self) -> None:
        """See `Reader`."""
        if self._closed:
            return
        self._closed = True
        self._listen(False)
        self._positions.clear()
        self._owned = frozenset()
        self._wake.set()
        await self._group.leave(self)

    async def give_up(self) -> None:
        """All partitions are taken; commits are possible until the callback returns."""
        self._listen(False)
        held = self.assignment()
        self._positions.clear()
        self._paused.clear()
        if held and self._when_revoked is not None:
            await self._when_revoked(held)
        self._owned = frozenset()

    async def take_over(self, logs: Logs) -> None:
        """These partitions are given, to be read from the last commit."""
        if self._closed:
            return
        self._positions = {p: self._first(p, log) for p, log in logs.items()}
        self._owned = frozenset(logs)
        self._listen(True)
        self._wake.set()
        if self._when_assigned is not None:
            await self._when_assigned(self._owned)

    def _first(self, partition: TopicPartition, log: Log) -> int:
        beginning = log.begin if self._start == "earliest" else log.end
        return self._group.committed.get(partition, beginning)

    _owned: frozenset[TopicPartition] = frozenset()
