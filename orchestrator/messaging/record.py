"""A record as the bus carries it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

#: `(topic, partition)`.
TopicPartition = tuple[str, int]

#: Header names and values in order; a name may come twice, as in Kafka.
Headers = tuple[tuple[str, bytes], ...]


class Record(NamedTuple):
    """One record. When publishing, `partition` None lets the key decide (murmur2, as the Java
    client does); `offset` and `timestamp` (UTC) are set on what was read. A key that is not UTF-8
    keeps its bytes as surrogates (PEP 383), so that it can be published again unchanged.

    A named tuple, because a consumer makes as many as it can: measured, a frozen dataclass takes
    four times as long."""

    topic: str
    key: str | None
    value: bytes
    headers: Headers = ()
    partition: int | None = None
    offset: int | None = None
    timestamp: datetime | None = None

    def header(self, name: str) -> bytes | None:
        """The last header of that name (Kafka's rule for repeated ones), None without."""
        for key, value in reversed(self.headers):
            if key == name:
                return value
        return None

    @property
    def place(self) -> str:
        """`topic[partition]@offset`, for logs and errors."""
        partition = "?" if self.partition is None else self.partition
        offset = "?" if self.offset is None else self.offset
        return f"{self.topic}[{partition}]@{offset}"
