"""A saga's budget: what a run of it takes, at best and at worst."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import ceil, inf
from typing import NamedTuple

from dsl.budget.cost import NOTHING, Cost, Range, any_of, most
from dsl.budget.endless import Endless
from dsl.budget.history import CANCELLED, DEADLINE, END, MARKER, RUN, START
from dsl.budget.walk import Times, Turns, Walk
from dsl.budget.ways import ON, Ways
from dsl.cel.nodes import Call
from dsl.model import ArmModel, AwaitModel, SagaModel, StepModel, walk


class Budget(NamedTuple):
    """What a saga takes, over all its runs: `best` when it completes on its cheapest way, every
    answer comes at once and every event is there; `worst` when it takes its dearest way, uses up
    every attempt and every limit, is stopped at the end, and undoes everything. `inf` where nothing
    sets a limit: `endless` are the places, and `loops` tell what one turn costs."""

    best: Cost
    worst: Cost
    loops: tuple[Turns, ...]
    endless: tuple[Endless, ...]


#: How many sagas may call one another before nothing is said any more.
_DEEPEST = 50


class Budgets:
    """The budgets of checked sagas, which may call one another."""

    def __init__(self, sagas: Iterable[SagaModel]) -> None:
        self._sagas = {saga.name: saga for saga in sagas}
        self._made: dict[str, Budget] = {}
        self._depth = 0

    def of(self, name: str) -> Budget:
        """The budget of a saga, by its qualified name."""
        if name not in self._made:
            self._depth += 1
            self._made[name] = _budget(self._sagas[name], self._times)
            self._depth -= 1
        return self._made[name]

    def _times(self, name: str) -> Times:
        if name not in self._sagas or self._depth > _DEEPEST:
            return Times(0.0, inf)
        found = self.of(name)
        return Times(found.best.seconds, found.worst.seconds)


def budget(saga: SagaModel) -> Budget:
    """The budget of a saga that calls no other, or without the times of those that it calls."""
    return Budgets([saga]).of(saga.name)


def _budget(saga: SagaModel, called: Callable[[str], Times]) -> Budget:
    within = saga.within.total_seconds() if saga.within is not None else inf
    walk = Walk(reads_clock(saga), within, called=called)
    number = pivot(saga)
    before = walk.block(saga.body[:number])
    walk.within = inf  # after the pivot no deadline ends the saga
    after = walk.block(saga.body[number:])
    to_pivot = before.any or Range()
    # Before the pivot the deadline stops the saga; whatever stops it, what was done is undone.
    ends = [to_pivot.worst.cut(within).plus(to_pivot.back)]
    if after is not ON and before.on is not None:
        ends.append(before.on.worst.cut(within).plus(after.worst))
    frame = Cost(history=START + END)
    best, worst = best_of(before.then(after)).plus(frame), most(ends).plus(frame)
    stopped = CANCELLED + (DEADLINE if saga.within is not None else 0)
    early = MARKER if awaits_events(saga) else 0
    worst = worst.plus(Cost(history=early))
    worst = worst.plus(Cost(history=stopped + _more_runs(worst.history) * (START + END + DEADLINE)))
    return Budget(best, worst, tuple(walk.loops), tuple(_endless(walk.endless, worst)))


def best_of(ways: Ways) -> Cost:
    """The least of a way that completes, if there is one."""
    found = any_of((ways.on, ways.returned)) or ways.failed
    return found.best if found else NOTHING


def pivot(saga: SagaModel) -> int:
    """How many statements there are up to the pivot, that included."""
    steps = enumerate(saga.body, 1)
    found = (number for number, s in steps if isinstance(s, StepModel) and s.pivot)
    return next(found, len(saga.body))


def reads_clock(saga: SagaModel) -> bool:
    """Whether any of its expressions reads the clock."""
    return any(isinstance(n, Call) and n.function == "now" for n in walk(saga))


def awaits_events(saga: SagaModel) -> bool:
    """Whether it waits for an event anywhere: before it first does it asks for those that came
    before it."""
    return any(isinstance(m, AwaitModel | ArmModel) and not m.signal for m in walk(saga))


def _more_runs(events: float) -> float:
    """A long saga continues as new: its runs but the first."""
    return events if events == inf else ceil(events / RUN) - 1


def _endless(places: Sequence[Endless], worst: Cost) -> Iterator[Endless]:
    """The places that leave something without a limit."""
    for place in dict.fromkeys(places):
        if (worst.seconds if place.time_only else worst.history) == inf:
            yield place
