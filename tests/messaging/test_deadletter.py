"""Dead letters as Spring Kafka's tools read them."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

from orchestrator.messaging.deadletter import Disposition, dead_letter, dead_letter_topic
from orchestrator.messaging.envelope import Envelope, from_record
from orchestrator.messaging.record import Record

_RECORD = Record(
    "orders",
    "k",
    b"body",
    (("ce_id", b"1"),),
    partition=3,
    offset=2**40,
    timestamp=datetime(2026, 1, 1, 0, 0, 0, 123000, UTC),
)


def _error(message: str = "no such thing") -> Exception:
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError(message) from inner
    except ValueError as error:
        return error


def test_the_headers_are_springs() -> None:
    """Names and binary forms after `DeadLetterPublishingRecoverer`."""
    letter = dead_letter(_RECORD, "orders.g-dlt", _error(), Disposition.POISON, "g")
    assert (letter.topic, letter.key, letter.value) == ("orders.g-dlt", "k", b"body")
    assert (letter.partition, letter.offset) == (None, None)
    headers = dict(letter.headers)
    trace = headers.pop("kafka_dlt-exception-stacktrace")
    assert headers == {
        "ce_id": b"1",
        "kafka_dlt-original-topic": b"orders",
        "kafka_dlt-original-partition": struct.pack(">i", 3),
        "kafka_dlt-original-offset": struct.pack(">q", 2**40),
        "kafka_dlt-original-timestamp": struct.pack(">q", 1767225600123),
        "kafka_dlt-original-timestamp-type": b"CreateTime",
        "kafka_dlt-original-consumer-group": b"g",
        "kafka_dlt-exception-fqcn": b"builtins.ValueError",
        "kafka_dlt-exception-cause-fqcn": b"builtins.KeyError",
        "kafka_dlt-exception-message": b"no such thing",
        "disposition": b"poison",
    }
    assert b"ValueError: no such thing" in trace


def test_the_first_place_and_the_last_exception_are_kept() -> None:
    """A letter that dies again tells where it came from and why it died last."""
    first = dead_letter(_RECORD, "a-dlt", _error("first"), Disposition.POISON, "one")
    read = Record("a-dlt", "k", b"body", first.headers, partition=0, offset=1)
    second = dead_letter(read, "b-dlt", "second", Disposition.EXHAUSTED, "two")
    headers = dict(second.headers)
    assert len(headers) == len(second.headers)
    assert headers["kafka_dlt-original-topic"] == b"orders"
    assert headers["kafka_dlt-original-consumer-group"] == b"one"
    assert headers["kafka_dlt-exception-message"] == b"second"
    assert headers["disposition"] == b"exhausted"
    assert "kafka_dlt-exception-fqcn" not in headers


def test_long_texts_are_capped() -> None:
    """A header must not keep the letter from being taken, nor end inside a character."""
    letter = dead_letter(_RECORD, "t", _error("ä" * 100_000), Disposition.POISON, "g")
    assert sum(len(value) for _, value in letter.headers) < 12_000
    message = letter.header("kafka_dlt-exception-message")
    assert message is not None and set(message.decode()) == {"ä"}


def test_a_command_that_was_never_consumed() -> None:
    """It is a message still, and has no original offset."""
    envelope = Envelope(
        id="c1",
        type="inventory.ReserveStock",
        source="/sagas/PlaceOrder",
        time=datetime(2026, 1, 1, tzinfo=UTC),
        key="k",
        data=b"{}",
    )
    letter = dead_letter(
        envelope,
        "shop.dlq",
        "no answer after 5 attempts",
        Disposition.EXHAUSTED,
        "PlaceOrder",
        original_topic="inventory.commands",
    )
    assert from_record(letter) == envelope
    headers = dict(letter.headers)
    assert headers["kafka_dlt-original-topic"] == b"inventory.commands"
    assert "kafka_dlt-original-offset" not in headers
    assert headers["kafka_dlt-exception-message"] == b"no answer after 5 attempts"


def test_the_default_topic() -> None:
    """Named after the source and the group."""
    assert dead_letter_topic("orders", "shop") == "orders.shop-dlt"
