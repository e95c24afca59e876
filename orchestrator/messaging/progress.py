"""How far a partition is done: what is in flight, and the offset that may be committed."""

from __future__ import annotations

from collections import deque


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

    def take(self, offset: int, size: int) -> None:
        """A record is in flight from now on."""
        self._open.append(offset)
        self._bytes += size

    def finish(self, offset: int, size: int) -> None:
        """A record is done."""
        self._done.add(offset)
        self._bytes -= size
        while self._open and self._open[0] in self._done:
            first = self._open.popleft()
            self._done.remove(first)
            self._watermark = first + 1

    @property
    def to_commit(self) -> int | None:
        """The next offset to read, when it has moved since `committed` was set."""
        return self._watermark if self._watermark != self.committed else None
