"""Costs, and how they add up."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from operator import add
from typing import NamedTuple

import msgspec


class Cost(NamedTuple):
    """What a part of a saga takes: seconds, events of Temporal's history, commands sent (each
    attempt counts), events published, commands that undo, dead letters, and calls of functions.
    `inf` stands for no limit that is known."""

    seconds: float = 0.0
    history: float = 0.0
    commands: float = 0.0
    events: float = 0.0
    undos: float = 0.0
    letters: float = 0.0
    calls: float = 0.0

    @property
    def messages(self) -> float:
        """Everything that goes over the bus."""
        return self.commands + self.events + self.undos + self.letters

    def plus(self, other: Cost) -> Cost:
        """Both, one after the other."""
        return Cost(*map(add, self, other))

    def times(self, count: float, at_once: int = 1) -> Cost:
        """This so many times, `at_once` side by side. Nothing, without end, is nothing."""
        rounds = count if count == inf else -(-count // at_once)
        made = Cost(*(value * count if value and count else 0.0 for value in self))
        return made._replace(seconds=self.seconds * rounds if self.seconds and rounds else 0.0)

    def cut(self, seconds: float) -> Cost:
        """This, stopped after a time."""
        return self._replace(seconds=min(self.seconds, seconds))


NOTHING = Cost()


def most(costs: Iterable[Cost]) -> Cost:
    """The most of each, over several ways."""
    return Cost(*map(max, zip(*costs, strict=True)))


def least(costs: Iterable[Cost]) -> Cost:
    """The least of each, over several ways."""
    return Cost(*map(min, zip(*costs, strict=True)))


def beside(costs: Iterable[Cost]) -> Cost:
    """All of them at the same time."""
    made = tuple(costs)
    if not made:
        return NOTHING
    return Cost(*map(sum, zip(*made, strict=True)))._replace(seconds=max(c.seconds for c in made))


class Range(msgspec.Struct):
    """A cost between its best and its worst, and `back`, what undoing it takes at worst."""

    best: Cost = NOTHING
    worst: Cost = NOTHING
    back: Cost = NOTHING

    def plus(self, other: Range) -> Range:
        """Both, one after the other."""
        return Range(
            self.best.plus(other.best), self.worst.plus(other.worst), self.back.plus(other.back)
        )


def any_of(ways: Iterable[Range | None]) -> Range | None:
    """One of several ways; None when there is none."""
    open = [w for w in ways if w is not None]
    if not open or all(w is open[0] for w in open):
        return open[0] if open else None
    return Range(
        least(w.best for w in open), most(w.worst for w in open), most(w.back for w in open)
    )


def all_of(ways: Iterable[Range]) -> Range:
    """All of several ways, side by side."""
    open = list(ways)
    return Range(
        beside(w.best for w in open), beside(w.worst for w in open), beside(w.back for w in open)
    )
