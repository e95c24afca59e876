"""Retry topics: where a record waits for its next attempt while all others go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestrator.messaging.record import Record

#: `<attempt>:<due, in milliseconds since 1970>:<partition>:<offset>:<timestamp>` of a record that
#: waits: the last three are those that it was read with.
RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record as it was read from its own topic, and the attempt that is due at `due` (seconds
    since 1970)."""

    record: Record
    attempt: int
    due: float


def retry_topic(topic: str, group: str, delay: float) -> str:
    """Where the records of a topic wait for so many seconds, for one group."""
    return f"{topic}.{group}-retry-{_shown(delay)}"


def to_wait(record: Record, topic: str, attempt: int, due: float) -> Record:
    """The record to publish on a retry topic."""
    stamp = record.timestamp or datetime.now(UTC)
    numbers = (
        attempt,
        round(due * 1000),
        record.partition or 0,
        record.offset or 0,
        round(stamp.timestamp() * 1000),
    )
    mark = (RETRY, ":".join(map(str, numbers)).encode())
    kept = tuple(h for h in record.headers if h[0] != RETRY)
    return Record(topic, record.key, record.value, (*kept, mark))


def read_waiting(record: Record, topic: str) -> Waiting:
    """What waits in a record of a retry topic of `topic`; one that does not say is due now, for its
    second attempt."""
    kept = tuple(h for h in record.headers if h[0] != RETRY)
    try:
        text = (record.header(RETRY) or b"").decode()
        attempt, due, partition, offset, stamp = map(int, text.split(":"))
        timestamp = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=stamp)
    except (ValueError, OverflowError):
        return Waiting(record._replace(topic=topic, headers=kept), 2, 0.0)
    own = Record(topic, record.key, record.value, kept, partition, offset, timestamp)
    return Waiting(own, attempt, due / 1000)


def _shown(delay: float) -> str:
    milliseconds = round(delay * 1000)
    for size, unit in ((3_600_000, "h"), (60_000, "m"), (1000, "s")):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"
