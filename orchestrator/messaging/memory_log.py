"""One partition of the in-process bus."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime
from itertools import islice

from orchestrator.messaging.record import Record


class Log:
    """Records in order, the last `retain` of them; wakes its listeners on each new one."""

    def __init__(self, topic: str, partition: int, retain: int) -> None:
        self.topic = topic
        self.partition = partition
        self._records: deque[Record] = deque(maxlen=retain)
        self.end = 0
        self.listeners: set[asyncio.Event] = set()

    @property
    def begin(self) -> int:
        """The oldest offset that is kept."""
        return self.end - len(self._records)

    def append(self, record: Record, now: datetime) -> None:
        """Gives the record its place."""
        self._records.append(
            record._replace(partition=self.partition, offset=self.end, timestamp=now)
        )
        self.end += 1
        for listener in self.listeners:
            listener.set()

    def read(self, offset: int, limit: int) -> list[Record]:
        """At most `limit` records from `offset` on, or from the oldest kept one."""
        first = max(0, offset - self.begin)
        return list(islice(self._records, first, first + limit))
