"""The order of numbered events, as `orchestrator.store.sequences` keeps it in SQL."""

from __future__ import annotations

from enum import Enum, auto
from typing import Generic, TypeVar

T = TypeVar("T")

#: Early events of a key that are kept at most, and how long, in seconds: what production does where
#: nothing is set.
MOST, GAP = 100, 60.0


class Place(Enum):
    """What an event is in its order; `orchestrator.store.sequences.Place` says more of each."""

    TAKEN = auto()
    DUPLICATE = auto()
    EARLY = auto()
    STALE = auto()
    BEHIND = auto()
    FULL = auto()


class Order(Generic[T]):
    """The events of one type and key. `next` is the number that is awaited, None before any was
    taken; `early` what waits, by number."""

    def __init__(self) -> None:
        self.next: int | None = None
        self.early: dict[int, T] = {}
        self._first = 0
        self._broken_until: int | None = None

    def begin(self, number: int) -> None:
        """This one is the first."""
        self._first = self.next = number

    def place(self, number: int, event: T) -> Place:
        """Where an event stands; an early one is kept."""
        if self.next is None and number in (0, 1):
            self.begin(number)
        if self.next is None or number > self.next:
            return self._behind(number, event)
        if number < self._first:
            return Place.STALE
        if number < self.next:
            return Place.DUPLICATE
        self._advance()
        self.early.pop(number, None)
        return Place.TAKEN

    def turn(self) -> T | None:
        """The early event whose turn it is now; it is taken."""
        if self.next is None or self.next not in self.early:
            return None
        event = self.early.pop(self.next)
        self._advance()
        return event

    def give_up(self) -> list[T]:
        """The gap did not close in time: what waits is to be buried, and what comes behind the
        missing one is `BEHIND`, until that comes. An order in which nothing was taken begins with
        the first that waits instead."""
        if not self.early or self.next in self.early:
            return []
        if self.next is None:
            self.begin(min(self.early))
            return []
        given_up = [self.early[number] for number in sorted(self.early)]
        self._break(max(self.early))
        self.early.clear()
        return given_up

    def _behind(self, number: int, event: T) -> Place:
        if self._broken_until is not None:
            self._break(number)
            return Place.BEHIND
        if number in self.early:
            return Place.DUPLICATE
        if len(self.early) >= MOST:
            self._break(number)
            return Place.FULL
        self.early[number] = event
        return Place.EARLY

    def _advance(self) -> None:
        assert self.next is not None, "something was taken"
        self.next += 1
        if self._broken_until is not None and self.next > self._broken_until:
            self._broken_until = None

    def _break(self, until: int) -> None:
        self._broken_until = max(until, self._broken_until or until)
