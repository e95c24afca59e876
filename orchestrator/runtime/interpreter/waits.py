"""Waits: `await`, `race` and `sleep`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dsl.model import Place, wire_type
from dsl.values import Struct
from orchestrator.compile.plan import ArmPlan, AwaitPlan, RacePlan, SleepPlan
from orchestrator.runtime.effects import CommandFailed, Reason, SagaFailed
from orchestrator.runtime.env import Env
from orchestrator.runtime.interpreter.run import Inner, Leaving, Run
from orchestrator.runtime.standing import Way
from orchestrator.runtime.undo import Undos


class Waits:
    """The waits of one run."""

    def __init__(self, run: Run, inner: Inner) -> None:
        self._run = run
        self._inner = inner

    async def wait(self, part: AwaitPlan, env: Env, undos: Undos, way: Way) -> Leaving:
        """Waits for one event. Raises SagaFailed when none came and nothing is said about that."""
        if way:
            return await self._inner.inside(0, part.on_timeout or (), env, undos, way)
        seconds = self._run.seconds(part.within, env, part.place)
        found = await self._receive([part], seconds, env, part.place)
        if part.name:
            env[part.name] = found[1] if found else None
        if found is not None:
            return None
        if part.on_timeout is None:
            name = part.event.rpartition(".")[2] if part.signal else wire_type(part.event)
            text = f"no {name} came within {seconds:g}s"
            raise SagaFailed(text, CommandFailed(Reason.NO_EVENT, text))
        return await self._inner.inside(0, part.on_timeout, env, undos)

    async def race(self, part: RacePlan, env: Env) -> int:
        """Which of its blocks is taken."""
        seconds = self._run.seconds(part.limit, env, part.place)
        found = await self._receive(part.arms, seconds, env, part.place)
        if found is None:
            return len(part.arms)
        if name := part.arms[found[0]].name:
            env[name] = found[1]
        return found[0]

    async def sleep(self, part: SleepPlan, env: Env) -> None:
        """Waits for so long; not at all for a time that is over."""
        seconds = self._run.seconds(part.time, env, part.place) or 0.0
        self._run.waits += seconds > 0
        await self._run.effects.sleep(seconds)

    async def _receive(
        self, arms: Sequence[AwaitPlan | ArmPlan], seconds: float | None, env: Env, place: Place
    ) -> tuple[int, Struct] | None:
        self._run.waits += seconds is None or seconds > 0
        found = await self._run.effects.receive(
            [(a.event, self._fits(a, env, place)) for a in arms], seconds
        )
        self._run.waits += found is not None
        return found

    def _fits(self, part: AwaitPlan | ArmPlan, env: Env, place: Place) -> Callable[[Struct], bool]:
        def fits(event: Struct) -> bool:
            if part.condition is None:
                return True
            seen = {**env, part.name: event} if part.name else env
            return bool(self._run.value(part.condition, seen, place))

        return fits
