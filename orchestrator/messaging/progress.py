"""How far a partition is done: what is in flight, and the offset that may be committed."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from orchestrator.messaging.record import Record


class Progress:
    """Tracks one partition. Records are taken in order and finish in any order; the low watermark
    is the first offset that is not finished, so that a crash repeats records and skips none."""

    __slots__ = ("_bytes", "_done", "_open", "_watermark", "committed")

    def __init__(self) -> None:
        self._open: deque[int] = deque()
        self._done: set[int] = set()
        self._bytes = 0
        self._watermark: int | None = None
        self.committed: int | None = None

    @property
    def in_flight(self) -> int:
        """Records taken and not finished."""
        return len(self._open) - len(self._done)

    @property
    def bytes(self) -> int:
        """Their values' size."""
        return self._bytes

    def take(self, records: Sequence[Record]) -> None:
        """Records are in flight from now on."""
        for record in records:
            assert record.offset is not None, "a record that was read"
            self._open.append(record.offset)
            self._bytes += len(record.value)

    def finish(self, record: Record) -> None:
        """A record is done."""
        self._bytes -= len(record.value)
        waiting, done, offset = self._open, self._done, record.offset
        assert offset is not None, "a record that was read"
        if waiting[0] != offset:
            done.add(offset)
            return
        waiting.popleft()
        while waiting and waiting[0] in done:
            offset = waiting.popleft()
            done.remove(offset)
        self._watermark = offset + 1

    @property
    def to_commit(self) -> int | None:
        """The next offset to read, when it has moved since `committed` was set."""
        return self._watermark if self._watermark != self.committed else None
