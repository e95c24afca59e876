"""What aiokafka has read becomes records, whatever others have written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from orchestrator.messaging.kafka_records import to_records
from orchestrator.messaging.record import Record


def found(**fields: Any) -> ConsumerRecord[bytes, bytes]:
    """What aiokafka gives for one record."""
    sizes = {"timestamp_type": 0, "checksum": None, "serialized_key_size": 0}
    known = {"topic": "t", "partition": 0, "offset": 0, "timestamp": 0, "key": b"k", "value": b"v"}
    return ConsumerRecord(**{**known, "headers": (), **sizes, "serialized_value_size": 0, **fields})


def test_partitions_come_one_after_the_other_in_their_order() -> None:
    """Each record with its place."""
    batches = {
        TopicPartition("t", n): [found(partition=n, offset=o) for o in (5, 6)] for n in (1, 0)
    }
    places = [r.place for r in to_records(batches)]
    assert places == ["t[1]@5", "t[1]@6", "t[0]@5", "t[0]@6"]


def test_times_are_each_record_s_own() -> None:
    """Also those before and after one that has none."""
    stamps = (1500, 1500, -1, 2000)
    records = to_records({TopicPartition("t", 0): [found(timestamp=s) for s in stamps]})
    first, last = datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC), datetime(1970, 1, 1, 0, 0, 2, 0, UTC)
    assert [r.timestamp for r in records] == [first, first, None, last]


def test_what_is_missing_is_empty_and_a_key_keeps_its_bytes() -> None:
    """A value, a header's value, a key; and a key that is no text."""
    odd = found(key=b"\xff", value=None, headers=(("a", b"1"), ("b", None), ("a", None)))
    no_key = found(key=None)
    records = to_records({TopicPartition("t", 0): [odd, no_key]})
    time = datetime(1970, 1, 1, tzinfo=UTC)
    assert records == [
        Record("t", "\udcff", b"", (("a", b"1"), ("b", b""), ("a", b"")), 0, 0, time),
        Record("t", None, b"v", (), 0, 0, time),
    ]
