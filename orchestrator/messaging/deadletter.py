"""Dead letters, with the headers that Spring Kafka's tools read.

Names and binary forms after Spring's `KafkaHeaders` and `DeadLetterPublishingRecoverer`: the
original's place is kept from its first death, the exception is that of the last.
"""

from __future__ import annotations

import struct
import traceback
from enum import StrEnum

from orchestrator.messaging.envelope import Envelope, to_record
from orchestrator.messaging.record import Headers, Record

ORIGINAL_TOPIC = "kafka_dlt-original-topic"
ORIGINAL_PARTITION = "kafka_dlt-original-partition"
ORIGINAL_OFFSET = "kafka_dlt-original-offset"
ORIGINAL_TIMESTAMP = "kafka_dlt-original-timestamp"
ORIGINAL_TIMESTAMP_TYPE = "kafka_dlt-original-timestamp-type"
ORIGINAL_GROUP = "kafka_dlt-original-consumer-group"
EXCEPTION = "kafka_dlt-exception-fqcn"
EXCEPTION_CAUSE = "kafka_dlt-exception-cause-fqcn"
EXCEPTION_MESSAGE = "kafka_dlt-exception-message"
EXCEPTION_STACKTRACE = "kafka_dlt-exception-stacktrace"
DISPOSITION = "disposition"
#: Later messages of its key wait at the consumer until it is redriven or discarded.
HOLDS = "holdskey"

#: Who gives up the steps of sagas: no consumer group, their workers.
STEPS = "orchestrate"

#: How the name of a topic of dead letters ends.
SUFFIX = "-dlt"

#: What is said of the last death alone.
EXCEPTION_HEADERS = frozenset({EXCEPTION, EXCEPTION_CAUSE, EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE})

#: Bytes of the two texts; a record with its headers has to fit a broker's 1 MB.
MESSAGE_CAP = 2_000
STACKTRACE_CAP = 8_000


class Disposition(StrEnum):
    """Why a message was given up: it cannot be decoded; it was refused; its attempts are used
    up."""

    POISON = "poison"
    REJECTED = "rejected"
    EXHAUSTED = "exhausted"


def dead_letter_topic(topic: str, group: str) -> str:
    """Where a group's dead letters go when no policy names a topic."""
    return f"{topic}.{group}{SUFFIX}"


def dead_letter(
    source: Record | Envelope,
    topic: str,
    reason: BaseException | str,
    disposition: Disposition,
    group: str,
    *,
    original_topic: str | None = None,
    holds: bool = False,
) -> Record:
    """The record to publish on `topic` for one that was given up: same key, value and headers,
    and why. `group` is who gave up. An `Envelope` is for what was never consumed (a saga's
    command whose attempts are used up); then `original_topic` is where it was sent. The key
    chooses the partition, so with as many partitions as the source's it is the same one. `holds`
    says that later messages of its key wait for it."""
    record = to_record(source, original_topic or topic) if isinstance(source, Envelope) else source
    named = record.topic if isinstance(source, Record) else original_topic
    present = {name for name, _ in record.headers}
    original = tuple((k, v) for k, v in _original(record, named, group) if k not in present)
    died = {*EXCEPTION_HEADERS, DISPOSITION, HOLDS}
    kept = tuple((k, v) for k, v in record.headers if k not in died)
    last = (*_exception(reason), (DISPOSITION, disposition.value.encode()))
    if holds:
        last += ((HOLDS, b"true"),)
    return Record(topic, record.key, record.value, (*kept, *original, *last))


def _original(record: Record, topic: str | None, group: str) -> Headers:
    found: list[tuple[str, bytes]] = []
    if topic is not None:
        found.append((ORIGINAL_TOPIC, topic.encode()))
    if record.partition is not None:
        found.append((ORIGINAL_PARTITION, struct.pack(">i", record.partition)))
    if record.offset is not None:
        found.append((ORIGINAL_OFFSET, struct.pack(">q", record.offset)))
    if record.timestamp is not None:
        milliseconds = round(record.timestamp.timestamp() * 1000)
        found.append((ORIGINAL_TIMESTAMP, struct.pack(">q", milliseconds)))
        found.append((ORIGINAL_TIMESTAMP_TYPE, b"CreateTime"))
    found.append((ORIGINAL_GROUP, group.encode()))
    return tuple(found)


def _exception(reason: BaseException | str) -> Headers:
    if isinstance(reason, str):
        return ((EXCEPTION_MESSAGE, _capped(reason, MESSAGE_CAP)),)
    found = [(EXCEPTION, _name(reason))]
    if reason.__cause__ is not None:
        found.append((EXCEPTION_CAUSE, _name(reason.__cause__)))
    found.append((EXCEPTION_MESSAGE, _capped(str(reason), MESSAGE_CAP)))
    trace = "".join(traceback.format_exception(reason))
    # The end tells most: Python prints the innermost call and the message last.
    found.append((EXCEPTION_STACKTRACE, _capped(trace, STACKTRACE_CAP, end=True)))
    return tuple(found)


def _name(error: BaseException) -> bytes:
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}".encode()


def _capped(text: str, limit: int, *, end: bool = False) -> bytes:
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return data
    cut = data[-limit:] if end else data[:limit]
    return cut.decode("utf-8", "ignore").encode()
