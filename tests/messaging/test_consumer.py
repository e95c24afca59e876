"""Keys side by side, one key never; nothing skipped, little repeated."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.messaging.bus import Bus
from orchestrator.messaging.consumer import KeyedConsumer
from orchestrator.messaging.record import Record
from tests.messaging.conftest import NewTopic, collect, eventually


class Watch:
    """A handler that is let go by hand and notes what runs at the same time."""

    def __init__(self) -> None:
        self.seen: dict[str | None, list[int]] = defaultdict(list)
        self.running: dict[str | None, int] = defaultdict(int)
        self.most = 0
        self.most_of_one_key = 0
        self.gate = asyncio.Event()
        self._changed = asyncio.Condition()

    @property
    def total(self) -> int:
        """Records that were begun."""
        return sum(map(len, self.seen.values()))

    async def handle(self, record: Record) -> None:
        """Waits for the gate."""
        key = record.key
        self.seen[key].append(int(record.value))
        self.running[key] += 1
        self.most = max(self.most, sum(self.running.values()))
        self.most_of_one_key = max(self.most_of_one_key, *self.running.values())
        async with self._changed:
            self._changed.notify_all()
        try:
            await self.gate.wait()
        finally:
            self.running[key] -= 1

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until it holds; fails after thirty seconds."""
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(condition)


class Running:
    """A consumer in a task, which a test stops."""

    def __init__(self, consumer: KeyedConsumer) -> None:
        self.stop = asyncio.Event()
        self.task = asyncio.create_task(consumer.run(self.stop))

    async def end(self) -> None:
        """Stops it in order."""
        self.stop.set()
        async with asyncio.timeout(30):
            await self.task


async def publish(bus: Bus, topic: str, *records: tuple[str | None, int]) -> None:
    """One after the other."""
    for key, number in records:
        await bus.publish(Record(topic, key, str(number).encode()))


async def test_keys_run_side_by_side_and_one_key_never(bus: Bus, new_topic: NewTopic) -> None:
    """Within one partition, and in the order of each key."""
    topic, watch = await new_topic(partitions=1), Watch()
    await publish(bus, topic, *((key, n) for n in range(5) for key in "abc"))
    running = Running(KeyedConsumer(await bus.reader([topic], "g"), watch.handle))
    await watch.until(lambda: watch.total == 3)
    assert sum(watch.running.values()) == 3
    watch.gate.set()
    await watch.until(lambda: watch.total == 15)
    await running.end()
    assert watch.most_of_one_key == 1
    assert dict(watch.seen) == {key: list(range(5)) for key in "abc"}


async def test_records_without_a_key_have_no_order(bus: Bus, new_topic: NewTopic) -> None:
    """They do not wait for each other."""
    topic, watch = await new_topic(), Watch()
    await publish(bus, topic, (None, 1), (None, 2))
    running = Running(KeyedConsumer(await bus.reader([topic], "g"), watch.handle))
    await watch.until(lambda: watch.total == 2)
    watch.gate.set()
    await running.end()


async def test_concurrency_is_bounded(bus: Bus, new_topic: NewTopic) -> None:
    """However many keys there are."""
    topic, watch = await new_topic(partitions=2), Watch()
    await publish(bus, topic, *((f"k{n}", n) for n in range(10)))
    reader = await bus.reader([topic], "g")
    running = Running(KeyedConsumer(reader, watch.handle, concurrency=3))
    await watch.until(lambda: watch.total == 3)
    watch.gate.set()
    await watch.until(lambda: watch.total == 10)
    await running.end()
    assert watch.most == 3


async def test_a_record_does_not_wait_for_the_next_poll() -> None:
    """Also when it comes right behind one that was handled without waiting for anything."""
    records = [Record("t", "k", b"", (), 0, offset) for offset in range(2)]
    handled: list[Record] = []
    quiet = asyncio.Event()

    class Trickle:
        """A record at each poll, and then a poll that does not end."""

        async def poll(self, limit: int, timeout: float) -> list[Record]:  # noqa: ASYNC109
            if records:
                return [records.pop(0)]
            quiet.set()
            await asyncio.Event().wait()
            return []

        async def commit(self, offsets: object) -> None: ...
        async def close(self) -> None: ...
        def on_revoked(self, callback: object) -> None: ...

    async def handle(record: Record) -> None:
        handled.append(record)

    reader: Any = Trickle()
    running = Running(KeyedConsumer(reader, handle, concurrency=1))
    await quiet.wait()
    await asyncio.sleep(0)
    assert len(handled) == 2
    await running.end()


async def test_only_the_low_watermark_is_committed(bus: Bus, new_topic: NewTopic) -> None:
    """What is done behind one that is not comes again after a crash; nothing is skipped."""
    topic, slow_gate = await new_topic(partitions=1), asyncio.Event()
    await publish(bus, topic, ("a", 0), ("slow", 1), ("b", 2), ("c", 3))
    done: set[int] = set()
    rest = asyncio.Event()

    async def handle(record: Record) -> None:
        if record.key == "slow":
            await slow_gate.wait()
        done.add(int(record.value))
        if len(done) == 3:
            rest.set()

    reader = await bus.reader([topic], "watermark")
    running = Running(KeyedConsumer(reader, handle, drain_limit=0.1))
    async with asyncio.timeout(30):
        await rest.wait()
    await running.end()  # the slow one is cancelled after a tenth of a second
    assert done == {0, 2, 3}
    again = await bus.reader([topic], "watermark")
    assert [r.value for r in await collect(again, 3)] == [b"1", b"2", b"3"]


async def test_a_stop_waits_for_what_runs_and_commits_it(bus: Bus, new_topic: NewTopic) -> None:
    """What had not begun is left for the next reader."""
    topic, watch = await new_topic(partitions=1), Watch()
    await publish(bus, topic, ("a", 0), ("a", 1))
    running = Running(KeyedConsumer(await bus.reader([topic], "stop"), watch.handle))
    await watch.until(lambda: watch.total == 1)
    running.stop.set()
    done, _ = await asyncio.wait([running.task], timeout=0.2)
    assert not done
    watch.gate.set()
    await running.end()
    again = await bus.reader([topic], "stop")
    assert [r.value for r in await collect(again, 1)] == [b"1"]


async def test_offsets_are_committed_while_it_runs(bus: Bus, new_topic: NewTopic) -> None:
    """A process that is killed repeats no more than the last moments."""
    topic, watch = await new_topic(partitions=1), Watch()
    watch.gate.set()
    reader = await bus.reader([topic], "running")
    commits: list[dict[tuple[str, int], int]] = []
    commit = reader.commit

    async def noted(offsets: dict[tuple[str, int], int]) -> None:
        await commit(offsets)
        commits.append(dict(offsets))

    reader.commit = noted  # type: ignore[method-assign,assignment]
    running = Running(KeyedConsumer(reader, watch.handle, commit_every=0.05))
    await publish(bus, topic, *((f"k{n}", n) for n in range(10)))
    await eventually(lambda: bool(commits) and commits[-1][(topic, 0)] == 10)
    await running.end()


async def test_an_exception_ends_it_and_is_not_skipped(bus: Bus, new_topic: NewTopic) -> None:
    """The record comes again for whoever reads next."""
    topic = await new_topic(partitions=1)
    await publish(bus, topic, ("a", 0), ("a", 1), ("a", 2))

    async def handle(record: Record) -> None:
        if record.value == b"1":
            raise RuntimeError("a bug")

    running = Running(KeyedConsumer(await bus.reader([topic], "broken"), handle))
    with pytest.raises(RuntimeError, match="a bug"):
        async with asyncio.timeout(30):
            await running.task
    again = await bus.reader([topic], "broken")
    assert [r.value for r in await collect(again, 2)] == [b"1", b"2"]


async def test_what_is_in_flight_is_bounded(bus: Bus, new_topic: NewTopic) -> None:
    """Partitions are paused while too much waits, and resumed; all of it is handled."""
    topic, watch = await new_topic(partitions=2), Watch()
    reader = await bus.reader([topic], "g")
    held: set[tuple[str, int]] = set()
    pause, resume = reader.pause, reader.resume
    reader.pause = lambda p: (held.update(p), pause(p))[1]  # type: ignore[method-assign]
    reader.resume = lambda p: (held.difference_update(p), resume(p))[1]  # type: ignore[method-assign]
    await asyncio.gather(*(publish(bus, topic, (f"k{n}", n)) for n in range(300)))
    running = Running(KeyedConsumer(reader, watch.handle, concurrency=4, max_in_flight=20))
    await eventually(lambda: bool(held))
    watch.gate.set()
    await watch.until(lambda: watch.total == 300)
    await eventually(lambda: not held)
    await running.end()


async def test_a_rebalance_loses_and_repeats_nothing(bus: Bus, new_topic: NewTopic) -> None:
    """A second consumer joins in the middle; the first drains, commits, and hands over."""
    topic = await new_topic(partitions=4)
    handled: list[tuple[str | None, int]] = []
    running_keys: set[str | None] = set()

    async def handle(record: Record) -> None:
        assert record.key not in running_keys, "one key in two places"
        running_keys.add(record.key)
        await asyncio.sleep(0.002)
        running_keys.discard(record.key)
        handled.append((record.key, int(record.value)))

    first = Running(KeyedConsumer(await bus.reader([topic], "two"), handle, concurrency=4))
    records = [(f"k{n % 20}", n) for n in range(400)]
    half = asyncio.create_task(publish(bus, topic, *records[:200]))
    second = Running(KeyedConsumer(await bus.reader([topic], "two"), handle, concurrency=4))
    await half
    await publish(bus, topic, *records[200:])
    await eventually(lambda: len(handled) >= 400)
    await first.end()
    await second.end()
    assert sorted(handled, key=lambda h: h[1]) == records
    for key in {k for k, _ in records}:
        numbers = [n for k, n in handled if k == key]
        assert numbers == sorted(numbers)
