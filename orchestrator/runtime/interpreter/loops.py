"""Loops: `while`, and `for` in order or with turns at once; where a saga stops for another run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.compile.plan import ForPlan, WhilePlan
from orchestrator.runtime.effects import SagaFailed
from orchestrator.runtime.env import Env
from orchestrator.runtime.interpreter.run import Inner, Leaving, Run, Yielded
from orchestrator.runtime.standing import Frame, Stopped, Way
from orchestrator.runtime.tasks import together
from orchestrator.runtime.undo import Undos

#: A loop that turns so often without waiting for anything would never let go of the worker.
_IDLE_TURNS = 10_000


class Loops:
    """The loops of one run."""

    def __init__(self, run: Run, inner: Inner) -> None:
        self._run = run
        self._inner = inner

    def _stops(self, part: WhilePlan | ForPlan, env: Env, going_on: bool) -> bool:
        """Whether a loop stops before its turn; not where it is `going_on` from another run. Raises
        SagaFailed for one that would have had to."""
        if going_on:
            return False
        if env.alone and self._run.full():
            return True
        if self._run.spent() and not self._run.forward and not env.undoing:
            text = "there are too many turns for one run, and no place to go on in another"
            raise SagaFailed(f"{part.place.file}:{part.place.line}: {text}")
        return False

    async def repeat(self, part: WhilePlan, env: Env, undos: Undos, way: Way) -> Leaving:
        """A `while`. Raises SagaFailed for one that turns without end and waits for nothing."""
        frame, inwards = (way[0], way[1:]) if way else (None, ())
        turn, idle = frame.turn if frame else 0, 0
        while True:
            inner = Env(env, f"{env.turn}[{turn}]")
            if frame and frame.names is not None:
                inner.update(frame.names)
            elif self._stops(part, env, frame is not None):
                return Stopped([Frame(turn=turn)])
            elif not self._run.value(part.condition, env, part.place):
                return None
            before = self._run.waits
            left = await self._inner.block(part.body, inner, undos, inwards)
            frame, inwards = None, ()
            if isinstance(left, Stopped):
                left.frames.append(Frame(turn=turn, names=inner.own()))
            if left is not None:
                return left
            turn += 1
            idle = idle + 1 if self._run.waits == before else 0
            if idle == _IDLE_TURNS:
                where = f"{part.place.file}:{part.place.line}"
                raise SagaFailed(f"{where}: {idle} turns of this loop waited for nothing")

    async def each(self, part: ForPlan, env: Env, undos: Undos, way: Way) -> Leaving:
        """A `for`, with what its turns yield in the order of the items."""
        frame = way[0] if way else None
        items = frame.items if frame else self._run.value(part.items, env, part.place)
        yields = list(frame.yields) if frame else []
        if part.at_most is None:
            left = await self._in_order(part, items, yields, env, undos, way)
        else:
            left = await self._at_once(part, part.at_most, items, yields, env, undos, way)
        if left is not None:
            return left
        if part.collect:
            env[part.collect] = yields
        return None

    async def _in_order(
        self,
        part: ForPlan,
        items: Sequence[Any],
        yields: list[Any],
        env: Env,
        undos: Undos,
        way: Way,
    ) -> Leaving:
        """Turn after turn; what they yield is added."""
        frame, inwards = (way[0], way[1:]) if way else (None, ())
        begin = frame.turn if frame else 0
        for i, item in enumerate(items):
            turn = Env(env, f"{env.turn}[{begin + i}]")
            rest = Frame(turn=begin + i, yields=yields)
            if frame and frame.names is not None:
                turn.update(frame.names)
            elif self._stops(part, env, frame is not None):
                rest.items = list(items[i:])
                return Stopped([rest])
            else:
                turn[part.name] = item
            left = await self._inner.block(part.body, turn, undos, inwards)
            frame, inwards = None, ()
            if isinstance(left, Yielded):
                yields.append(left.value)
            elif isinstance(left, Stopped):
                rest.items, rest.names = list(items[i:]), turn.own()
                left.frames.append(rest)
                return left
            elif left is not None:
                return left
        return None

    async def _at_once(
        self,
        part: ForPlan,
        at_most: int,
        items: Sequence[Any],
        yields: list[Any],
        env: Env,
        undos: Undos,
        way: Way,
    ) -> Leaving:
        """So many turns at once; what they yield is added in the order of the items. They are
        undone one by one, last first. It stops when those that have begun have ended."""
        begin = way[0].turn if way else 0
        ends: list[Leaving] = []
        stacks: list[Undos] = []
        stopped = False

        async def take() -> None:
            nonlocal stopped
            while len(ends) < len(items) and not stopped:
                number = len(ends)
                if self._stops(part, env, bool(way) and number == 0):
                    stopped = True
                    return
                ends.append(None)
                stacks.append(undone := Undos())
                turn = Env(env, f"{env.turn}[{begin + number}]", alone=False)
                turn[part.name] = items[number]
                ends[number] = await self._inner.block(part.body, turn, undone)

        try:
            await together([take() for _ in range(min(at_most, len(items)))])
        finally:
            for stack in stacks:
                undos.push(stack)
        yields += [end.value for end in ends if isinstance(end, Yielded)]
        if stopped:
            rest = list(items[len(ends) :])
            return Stopped([Frame(turn=begin + len(ends), items=rest, yields=yields)])
        return None
