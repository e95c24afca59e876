"""The way through a saga's statements, with what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from math import inf
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from dsl.budget.calls import back, child, forth
from dsl.budget.cost import NOTHING, Cost, Range, all_of, any_of
from dsl.budget.endless import Endless, Why
from dsl.budget.history import ARRIVAL, ARRIVED, CLOCK, DURABLE, LIMIT, MARKER, SLEEP
from dsl.budget.ways import ON, Ways, one_of
from dsl.cel.nodes import Const, ListOfNodes, Node
from dsl.cel.wire import from_json
from dsl.model import (
    AwaitModel,
    Callee,
    EmitModel,
    FailModel,
    ForModel,
    IfModel,
    LetModel,
    MatchModel,
    ParallelModel,
    Place,
    RaceModel,
    ReturnModel,
    SetModel,
    SleepModel,
    Statement,
    StepModel,
    TryModel,
    WhileModel,
    YieldModel,
)
from dsl.types import DURATION


class Turns(msgspec.Struct, frozen=True):
    """A loop: what one turn costs, how many there are (None: that depends on data) and run at once,
    whether a condition alone ends it, and whether the saga can continue as new between two."""

    place: Place
    turn: Range
    count: int | None
    at_once: int
    open: bool
    continues: bool


class Times(NamedTuple):
    """How many seconds a saga takes at best and at worst."""

    best: float
    worst: float


def _unknown(saga: str) -> Times:
    return Times(0.0, inf)


class Walk:
    """A walk through a saga; `loops` and `endless` are what it came by. `clock` tells that the saga
    reads the clock somewhere; it is stopped `within` seconds. A loop whose turns nobody can count
    is taken to have `unknown` of them; `called` knows the times of sagas that this one calls."""

    def __init__(
        self,
        clock: bool,
        within: float = inf,
        unknown: float = inf,
        called: Callable[[str], Times] = _unknown,
    ) -> None:
        self._clock = clock
        self._called = called
        self._unknown = unknown
        self._alone = True  # nothing runs beside
        self.within = within
        self.loops: list[Turns] = []
        self.endless: list[Endless] = []

    def block(self, body: Iterable[Statement]) -> Ways:
        """The statements of a block, one after the other."""
        ways = ON
        for statement in body:
            after = self.one(statement)
            if after is not ON:
                ways = after if ways is ON else ways.then(after)
        return ways

    def one(self, statement: Statement) -> Ways:
        """One statement."""
        match statement:
            case LetModel() | SetModel():
                return ON
            case StepModel():
                return self._step(statement)
            case EmitModel(once=once):
                best = Cost(history=DURABLE if once else MARKER, events=1)
                worst = best.plus(Cost(history=CLOCK if self._clock else 0))
                return Ways(on=Range(best, worst))
            case SleepModel(time=time):
                return self._late(time, statement.place)
            case AwaitModel():
                return self._await(statement)
            case RaceModel():
                return self._race(statement)
            case ReturnModel():
                return Ways(returned=Range())
            case YieldModel():
                return Ways(yielded=Range())
            case FailModel():
                return Ways(failed=Range())
            case IfModel() | MatchModel() | TryModel():
                return self._choice(statement)
            case WhileModel() | ForModel():
                return self._loop(statement)
            case ParallelModel(branches=branches):
                return self._beside([b.body for b in branches])

    def _choice(self, statement: IfModel | MatchModel | TryModel) -> Ways:
        match statement:
            case IfModel(then=then, otherwise=otherwise):
                return one_of([self.block(then), self.block(otherwise)])
            case MatchModel(cases=cases, otherwise=otherwise):
                bodies = [c.body for c in cases]
                if otherwise is not None:
                    bodies.append(otherwise)
                return one_of([self.block(b) for b in bodies]) if bodies else ON
            case TryModel(body=body, handlers=handlers):
                inside = self.block(body)
                whole = inside.any
                if whole is None:
                    return inside
                # At worst all of it was done, and undone, before a handler runs.
                undone = Ways(on=Range(whole.best, whole.worst.plus(whole.back)))
                return one_of([inside, *(undone.then(self.block(h.body)) for h in handlers)])

    def _step(self, step: StepModel) -> Ways:
        if step.call.callee is Callee.SAGA:
            times = self._called(step.call.command)
            if times.worst == inf:
                self.endless.append(Endless(step.place, Why.SAGA))
            call = child(step, *times)
        else:
            call = forth(step, self._clock)
        called = Ways(on=call.plus(Range(back=self._back(step))))
        # Without a handler what fails here is counted as what is done here: it costs the same.
        return one_of([called, *(called.then(self.block(h.body)) for h in step.handlers)])

    def _back(self, step: StepModel) -> Cost:
        if step.undo is None and step.undo_body is None:
            return NOTHING
        alone, within = self._alone, self.within
        self._alone, self.within = False, inf  # no deadline, and no new run before its end
        block = self.block(step.undo_body or ()).worst
        self._alone, self.within = alone, within
        return back(step, self._clock, block)

    # --- what waits

    def _await(self, wait: AwaitModel) -> Ways:
        arrived = Ways(on=self._wait(wait.within, wait.place))
        if wait.within is None:
            return arrived
        late = self._late(wait.within)
        if wait.on_timeout is None:
            return one_of([arrived, Ways(failed=late.on)])
        return one_of([arrived, late.then(self.block(wait.on_timeout))])

    def _race(self, race: RaceModel) -> Ways:
        arrived = Ways(on=self._wait(race.limit, race.place))
        ways = [arrived.then(self.block(a.body)) for a in race.arms]
        if race.limit is not None:
            ways.append(self._late(race.limit).then(self.block(race.after)))
        return one_of(ways)

    def _wait(self, limit: Node | None, place: Place) -> Range:
        """Until what is awaited comes."""
        seconds = self._seconds(limit, place)
        timer = LIMIT if limit is not None else 0
        most = Cost(inf if seconds is None else seconds, ARRIVAL + timer)
        return Range(Cost(history=ARRIVED), most)

    def _late(self, time: Node, place: Place | None = None) -> Ways:
        """Until the time has passed."""
        seconds = self._seconds(time, place)
        most = inf if seconds is None else seconds
        return Ways(on=Range(Cost(seconds or 0.0, SLEEP), Cost(most, SLEEP)))

    def _seconds(self, time: Node | None, place: Place | None) -> float | None:
        """A duration that the text tells, in seconds; the place is noted where it does not."""
        if isinstance(time, Const) and time.type is DURATION:
            value: timedelta = from_json(time.value, DURATION)
            return max(value.total_seconds(), 0.0)
        if place is not None:
            self.endless.append(Endless(place, Why.WAIT if time is None else Why.TIME))
        return None

    # --- loops and branches

    def _loop(self, loop: WhileModel | ForModel) -> Ways:
        at_most = loop.at_most if isinstance(loop, ForModel) else None
        alone, self._alone = self._alone, self._alone and at_most is None
        turn = self.block(loop.body)
        self._alone = alone
        once, whole = any_of((turn.on, turn.yielded)), turn.any
        count, open, beside = _count(loop), isinstance(loop, WhileModel), at_most or 1
        if whole:
            # Turns at once are let come to their ends before the next run.
            self.loops.append(Turns(loop.place, whole, count, beside, open, self._alone))
        before = self._turns(once, loop, beside) if once else Range()
        ended = Range(NOTHING, before.worst, before.back)  # by a turn, after any number of others
        ways = Ways(on=ended).then(Ways(None, turn.returned, None, turn.failed))
        if isinstance(loop, WhileModel) and _always(loop.condition):
            # What stops it otherwise, stops it from outside.
            return replace(ways, failed=any_of((ways.failed, ended)))
        return replace(ways, on=before)

    def _turns(self, turn: Range, loop: WhileModel | ForModel, at_once: int) -> Range:
        """All turns but the last one."""
        if (count := _count(loop)) is not None:
            return Range(
                turn.best.times(count, at_once),
                turn.worst.times(count, at_once),
                turn.back.times(count),
            )
        most = self._unknown
        if turn.best.seconds and self.within < inf:
            most = min(most, at_once * (self.within // turn.best.seconds + 1))
        made = Range(NOTHING, turn.worst.times(most, at_once), turn.back.times(most))
        if most == inf and (made.worst != NOTHING or made.back != NOTHING):
            why = Why.CONDITION if isinstance(loop, WhileModel) else Why.ITEMS
            self.endless.append(Endless(loop.place, why))
        return made

    def _beside(self, bodies: Sequence[tuple[Statement, ...]]) -> Ways:
        alone, self._alone = self._alone, False
        ways = [self.block(b) for b in bodies]
        self._alone = alone
        on = [w.on for w in ways if w.on is not None]
        failed = any_of(w.failed for w in ways)
        whole = all_of([r for w in ways if (r := any_of((w.on, w.failed))) is not None])
        if failed is not None:
            # Those that are stopped let the task end first, each by a timer.
            stopped = Cost(history=SLEEP * len(ways))
            failed = Range(failed.best, whole.worst.plus(stopped), whole.back)
        return Ways(all_of(on) if len(on) == len(ways) else None, failed=failed)


def _count(loop: WhileModel | ForModel) -> int | None:
    """How many turns there are, where the text tells."""
    if isinstance(loop, ForModel):
        match loop.items:
            case ListOfNodes(items=items):
                return len(items)
            case Const(value=list(items)):
                return len(items)
    return None


def _always(condition: Node) -> bool:
    return isinstance(condition, Const) and condition.value is True
