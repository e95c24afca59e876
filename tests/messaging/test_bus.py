"""The port's promises, on the in-process bus and on a real Kafka alike."""

from __future__ import annotations

import asyncio

import pytest

from dsl.model import TopicModel
from orchestrator.messaging.bus import Bus, BusError, CommitError, UndeliverableError
from orchestrator.messaging.record import Record, TopicPartition
from tests.messaging.conftest import NewTopic, collect


async def test_a_record_comes_back_as_it_was_sent(bus: Bus, new_topic: NewTopic) -> None:
    """Key, value and headers are unchanged, and the place is filled in."""
    topic = await new_topic()
    sent = Record(topic, "Schlüssel", b"\x00value", (("a", b"1"), ("b", b"\xff")))
    reader = await bus.reader([topic], "g")
    await bus.publish(sent)
    [got] = await collect(reader, 1)
    assert (got.topic, got.key, got.value, got.headers) == (
        sent.topic,
        sent.key,
        sent.value,
        sent.headers,
    )
    assert (got.partition, got.offset) == (0, 0)
    assert got.timestamp is not None and got.timestamp.tzinfo is not None


async def test_one_key_keeps_to_one_partition(bus: Bus, new_topic: NewTopic) -> None:
    """The partition follows from the key by murmur2, on both buses the same one."""
    topic = await new_topic(partitions=12)
    reader = await bus.reader([topic], "g")
    await asyncio.gather(*(bus.publish(Record(topic, f"key-{n}", b"")) for n in range(20)))
    found = {r.key: r.partition for r in await collect(reader, 20)}
    # The Java client's `Utils.toPositive(Utils.murmur2(key)) % 12`.
    assert (found["key-0"], found["key-1"], found["key-2"]) == (1, 0, 2)


async def test_an_explicit_partition_wins_over_the_key(bus: Bus, new_topic: NewTopic) -> None:
    """A record that names its partition goes there."""
    topic = await new_topic(partitions=3)
    reader = await bus.reader([topic], "g")
    for partition in (2, 0, 1):
        await bus.publish(Record(topic, "same", b"", partition=partition))
    assert {r.partition for r in await collect(reader, 3)} == {0, 1, 2}


async def test_order_within_a_key(bus: Bus, new_topic: NewTopic) -> None:
    """Records published one after the other are read in that order."""
    topic = await new_topic(partitions=3)
    reader = await bus.reader([topic], "g")
    for n in range(30):
        await bus.publish(Record(topic, "k", str(n).encode()))
    assert [int(r.value) for r in await collect(reader, 30, limit=7)] == list(range(30))


async def test_many_are_published_at_once(bus: Bus, new_topic: NewTopic) -> None:
    """Each key's in their order; one that cannot be delivered is told by its place and stops no
    other."""
    topic = await new_topic(partitions=3)
    reader = await bus.reader([topic], "g")
    records = [Record(topic, f"k{n % 5}", str(n).encode()) for n in range(200)]
    records[7:7] = [Record("nowhere", "k", b""), Record(topic, "k", b"", partition=9)]
    failed = await bus.publish_all(records)
    assert sorted(failed) == [7, 8]
    assert all(isinstance(error, UndeliverableError) for error in failed.values())
    found = await collect(reader, 200)
    for key in {r.key for r in found}:
        numbers = [int(r.value) for r in found if r.key == key]
        assert numbers == sorted(numbers)
    assert await bus.publish_all([]) == {}


async def test_what_was_not_committed_comes_again(bus: Bus, new_topic: NewTopic) -> None:
    """The next reader of a group starts at the last commit of the one before."""
    topic = await new_topic()
    for n in range(5):
        await bus.publish(Record(topic, "k", str(n).encode()))
    first = await bus.reader([topic], "group-commit")
    await collect(first, 5)
    await first.commit({(topic, 0): 3})
    await first.close()
    second = await bus.reader([topic], "group-commit")
    assert [r.value for r in await collect(second, 2)] == [b"3", b"4"]


async def test_a_second_reader_takes_its_share(bus: Bus, new_topic: NewTopic) -> None:
    """When a reader joins, the first is told what it loses before the second may read it."""
    topic = await new_topic(partitions=4)
    told: list[frozenset[TopicPartition]] = []

    async def revoked(partitions: frozenset[TopicPartition]) -> None:
        told.append(partitions)

    first = await bus.reader([topic], "shared")
    first.on_revoked(revoked)
    assert len(first.assignment()) == 4
    joining = asyncio.create_task(bus.reader([topic], "shared"))
    while not joining.done():
        await first.poll(10, 0.1)
    second = await joining
    while len(first.assignment()) != 2:
        await first.poll(10, 0.1)
    assert [len(t) for t in told] == [4]
    assert first.assignment() | second.assignment() == {(topic, n) for n in range(4)}
    assert not first.assignment() & second.assignment()


async def test_a_commit_for_lost_partitions_is_refused(bus: Bus, new_topic: NewTopic) -> None:
    """A reader cannot commit what another one reads by now."""
    topic = await new_topic(partitions=2)
    first = await bus.reader([topic], "lost")
    joining = asyncio.create_task(bus.reader([topic], "lost"))
    while not joining.done():
        await first.poll(10, 0.1)
    second = await joining
    while len(first.assignment()) != 1:
        await first.poll(10, 0.1)
    [theirs] = second.assignment()
    with pytest.raises(CommitError):
        await first.commit({theirs: 1})


async def test_commits_are_possible_while_partitions_are_revoked(
    bus: Bus, new_topic: NewTopic
) -> None:
    """What was drained in the callback is committed there and not read twice."""
    topic = await new_topic()
    await bus.publish(Record(topic, "k", b"old"))
    first = await bus.reader([topic], "drain")
    await collect(first, 1)

    async def commit(_: frozenset[TopicPartition]) -> None:
        await first.commit({(topic, 0): 1})

    first.on_revoked(commit)
    joining = asyncio.create_task(bus.reader([topic], "drain"))
    while not joining.done():
        await first.poll(10, 0.1)
    second = await joining
    await bus.publish(Record(topic, "k", b"new"))
    got: list[Record] = []
    while not got:
        got = await first.poll(10, 0.1) + await second.poll(10, 0.1)
    assert [r.value for r in got] == [b"new"]


async def test_a_paused_partition_is_silent_until_resumed(bus: Bus, new_topic: NewTopic) -> None:
    """Other partitions go on meanwhile, and nothing of the paused one is lost."""
    topic = await new_topic(partitions=2)
    reader = await bus.reader([topic], "g")
    reader.pause([(topic, 0)])
    for n in range(4):
        await bus.publish(Record(topic, None, str(n).encode(), partition=n % 2))
    assert {r.partition for r in await collect(reader, 2)} == {1}
    assert await reader.poll(10, 0.3) == []
    reader.resume([(topic, 0)])
    assert [r.value for r in await collect(reader, 2)] == [b"0", b"2"]


async def test_a_reader_with_everything_paused_reads_nothing(bus: Bus, new_topic: NewTopic) -> None:
    """Pausing all partitions leaves nothing to poll, and no error."""
    topic = await new_topic()
    reader = await bus.reader([topic], "g")
    reader.pause(reader.assignment())
    await bus.publish(Record(topic, "k", b""))
    assert await reader.poll(10, 0.3) == []


async def test_a_tap_sees_what_comes_from_now_on(bus: Bus, new_topic: NewTopic) -> None:
    """All partitions from their end, for each tap."""
    topic = await new_topic(partitions=3)
    await bus.publish(Record(topic, "k", b"before"))
    taps = [await bus.tap([topic]), await bus.tap([topic])]
    for n in range(3):
        await bus.publish(Record(topic, None, str(n).encode(), partition=n))
    for tap in taps:
        assert {r.value for r in await collect(tap, 3)} == {b"0", b"1", b"2"}
        await tap.close()


async def test_a_group_from_latest_skips_what_was_before(bus: Bus, new_topic: NewTopic) -> None:
    """`start="latest"` holds for a group without commits."""
    topic = await new_topic()
    await bus.publish(Record(topic, "k", b"before"))
    reader = await bus.reader([topic], "late", start="latest")
    assert await reader.poll(10, 0.5) == []
    await bus.publish(Record(topic, "k", b"after"))
    assert [r.value for r in await collect(reader, 1)] == [b"after"]


async def test_topics_are_created_once(bus: Bus) -> None:
    """What exists is left as it is, whatever number of partitions is asked for."""
    topics = [TopicModel(name="twice", partitions=2), TopicModel(name="thrice", partitions=1)]
    assert await bus.create_topics(topics) == ["twice", "thrice"]
    assert await bus.create_topics([TopicModel(name="twice", partitions=1), *topics]) == []
    reader = await bus.reader(["twice"], "count")
    assert len(reader.assignment()) == 2


@pytest.mark.parametrize("name", ["", "a b", "ä", "..", "x" * 250])
async def test_a_bad_topic_name_is_refused(bus: Bus, name: str) -> None:
    """The error says what is wrong with it."""
    with pytest.raises(BusError, match="cannot be a topic's name"):
        await bus.create_topics([TopicModel(name=name)])


async def test_an_unknown_topic_is_an_error_at_once(bus: Bus) -> None:
    """Neither writing nor reading creates a topic or waits for one."""
    with pytest.raises(BusError, match="no topic `nowhere`"):
        await bus.publish(Record("nowhere", "k", b""))
    with pytest.raises(BusError, match="no topic `nowhere`"):
        await bus.reader(["nowhere"], "g")


async def test_many_first_records_at_once(bus: Bus, new_topic: NewTopic) -> None:
    """A burst right after the start does not overrun the broker with questions."""
    topic = await new_topic(partitions=3)
    await asyncio.gather(*(bus.publish(Record(topic, f"k{n}", b"")) for n in range(2000)))


async def test_a_partition_that_is_not_there_is_refused(bus: Bus, new_topic: NewTopic) -> None:
    """The error names topic and partition."""
    topic = await new_topic(partitions=2)
    with pytest.raises(BusError, match="has no partition 7"):
        await bus.publish(Record(topic, "k", b"", partition=7))


async def test_a_closed_reader_says_so(bus: Bus, new_topic: NewTopic) -> None:
    """Polling it is an error; closing it again is none."""
    reader = await bus.reader([await new_topic()], "g")
    await reader.close()
    await reader.close()
    with pytest.raises(BusError, match="closed"):
        await reader.poll(1, 0.1)


async def test_keys_that_are_no_text_survive(bus: Bus, new_topic: NewTopic) -> None:
    """A foreign key's bytes are the same after reading and publishing again."""
    topic = await new_topic()
    reader = await bus.reader([topic], "g")
    foreign = b"\xff\xfe".decode("utf-8", "surrogateescape")
    await bus.publish(Record(topic, foreign, b""))
    assert [r.key for r in await collect(reader, 1)] == [foreign]
