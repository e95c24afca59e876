"""Events and signals that have come for a saga, kept until a statement takes them."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.runtime.wire import Arrival

#: How many ids go from run to run: what comes again comes soon, or after a consumer's restart.
_REMEMBERED = 10_000


class Mailbox:
    """Arrivals in order; one that came twice is kept once."""

    def __init__(self) -> None:
        self._waiting: list[Arrival] = []
        self._seen: dict[str, None] = {}  # in order

    def put(self, arrival: Arrival) -> None:
        """Adds an arrival, unless its id is known."""
        if arrival.id not in self._seen:
            self._seen[arrival.id] = None
            self._waiting.append(arrival)

    def __iter__(self) -> Iterator[Arrival]:
        return iter(tuple(self._waiting))

    def knows(self, id: str) -> bool:
        """Whether it has come before."""
        return id in self._seen

    def know(self, id: str) -> None:
        """Drops an event, now and when it comes again: it has done its work already."""
        self._seen[id] = None
        self._waiting = [a for a in self._waiting if a.id != id]

    def take(self, arrival: Arrival) -> None:
        """Removes an arrival that a statement has taken."""
        self._waiting.remove(arrival)

    def known(self) -> list[str]:
        """The ids of what came last, for the next run."""
        return list(self._seen)[-_REMEMBERED:]

    def restore(self, waiting: list[Arrival], known: list[str]) -> None:
        """Begins with what an earlier run had; what has come meanwhile comes after it."""
        meanwhile = self._waiting
        self._waiting = list(waiting)
        self._seen = dict.fromkeys((*known, *(a.id for a in waiting)))
        for arrival in meanwhile:
            self.put(arrival)
