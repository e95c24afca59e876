"""Events and signals that have come for a saga, kept until a statement takes them."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.runtime.wire import Arrival


class Mailbox:
    """Arrivals in order; one that came twice is kept once."""

    def __init__(self) -> None:
        self._waiting: list[Arrival] = []
        self._seen: set[str] = set()

    def put(self, arrival: Arrival) -> None:
        """Adds an arrival, unless its id is known."""
        if arrival.id not in self._seen:
            self._seen.add(arrival.id)
            self._waiting.append(arrival)

    def __iter__(self) -> Iterator[Arrival]:
        return iter(tuple(self._waiting))

    def know(self, id: str) -> None:
        """Drops an event, now and when it comes again: it has done its work already."""
        self._seen.add(id)
        self._waiting = [a for a in self._waiting if a.id != id]

    def take(self, arrival: Arrival) -> None:
        """Removes an arrival that a statement has taken."""
        self._waiting.remove(arrival)
