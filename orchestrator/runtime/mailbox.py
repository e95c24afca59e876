"""Events and signals that have come for a saga, kept until a statement takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.runtime.known import Known
from orchestrator.runtime.wire import Arrival

#: How many ids it knows: an event comes again soon, or after a consumer's restart.
_REMEMBERED = 5_000


class Mailbox:
    """Arrivals in order; one that came twice is kept once, and one without an id is no other. It
    begins with those that `waiting` an earlier run left, and the ids that it had `known`; it is
    `complete` when what came before the saga did is among them."""

    def __init__(
        self,
        waiting: Iterable[Arrival] = (),
        known: Iterable[str] = (),
        complete: bool = False,
    ) -> None:
        self.complete = complete
        self._waiting = list(waiting)
        self._known = Known(_REMEMBERED, known)

    def put(self, arrival: Arrival) -> None:
        """Adds an arrival, unless its id is known."""
        if arrival.id not in self._known:
            if arrival.id:
                self._known.add(arrival.id)
            self._waiting.append(arrival)

    def complete_with(self, early: Iterable[Arrival]) -> None:
        """Adds what came before the saga did, in front."""
        since, self._waiting = self._waiting, []
        for arrival in early:
            self.put(arrival)
        self._waiting += since
        self.complete = True

    def __iter__(self) -> Iterator[Arrival]:
        return iter(tuple(self._waiting))

    def know(self, id: str) -> None:
        """Drops an event, now and when it comes again: it has done its work already."""
        self._known.add(id)
        self._waiting = [a for a in self._waiting if a.id != id]

    def knows(self, id: str) -> bool:
        """Whether something with this id has come."""
        return id in self._known

    def take(self, arrival: Arrival) -> None:
        """Removes an arrival that a statement has taken."""
        self._waiting = [a for a in self._waiting if a is not arrival]

    def known(self) -> list[str]:
        """The ids for the next run."""
        return self._known.ids()
