"""Ids of what has come, so that what comes again does nothing."""

from __future__ import annotations

from collections.abc import Iterable


class Known:
    """The last ids, at `most` so many: what comes again comes soon."""

    def __init__(self, most: int, ids: Iterable[str] = ()) -> None:
        self._most = most
        self._ids: dict[str, None] = {}  # in order
        for id in ids:
            self.add(id)

    def add(self, id: str) -> None:
        """Notes an id."""
        self._ids[id] = None
        if len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]

    def __contains__(self, id: str) -> bool:
        return id in self._ids

    def ids(self) -> list[str]:
        """All of them, the oldest first."""
        return list(self._ids)
