"""Blocks: one instruction after another, each by its kind."""

from __future__ import annotations

from orchestrator.compile.compile import bodies
from orchestrator.compile.plan import (
    AwaitPlan,
    EmitPlan,
    FailPlan,
    ForPlan,
    IfPlan,
    Instruction,
    LetPlan,
    MatchPlan,
    ParallelPlan,
    RacePlan,
    ReturnPlan,
    SetPlan,
    SleepPlan,
    StepPlan,
    TryPlan,
    WhilePlan,
    YieldPlan,
)
from orchestrator.runtime.backward import Compensation
from orchestrator.runtime.effects import SagaFailed
from orchestrator.runtime.env import Env
from orchestrator.runtime.interpreter.loops import Loops
from orchestrator.runtime.interpreter.run import Leaving, Returned, Run, Yielded
from orchestrator.runtime.interpreter.scopes import Scopes
from orchestrator.runtime.interpreter.steps import Steps
from orchestrator.runtime.interpreter.waits import Waits
from orchestrator.runtime.standing import Frame, Stopped, Way
from orchestrator.runtime.tasks import together
from orchestrator.runtime.undo import Undos


class Blocks:
    """The blocks of one run. `compensation` undoes what they did."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.compensation = Compensation(run.effects, run.expressions, self._undo_block)
        self._steps = Steps(run, self)
        self._scopes = Scopes(run, self, self.compensation)
        self._loops = Loops(run, self)
        self._waits = Waits(run, self)

    async def block(
        self, body: tuple[Instruction, ...], env: Env, undos: Undos, way: Way = ()
    ) -> Leaving:
        """As Inner has it."""
        for index in range(way[0].index if way else 0, len(body)):
            left = await self._one(body[index], env, undos, way)
            way = ()
            if isinstance(left, Stopped):
                left.frames[-1].index = index
            if left is not None:
                return left
        return None

    async def inside(
        self,
        number: int,
        body: tuple[Instruction, ...],
        env: Env,
        undos: Undos,
        way: Way = (),
    ) -> Leaving:
        """As Inner has it."""
        left = await self.block(body, env, undos, way[1:])
        if isinstance(left, Stopped):
            left.frames.append(Frame(block=number))
        return left

    async def _undo_block(self, body: tuple[Instruction, ...], env: Env) -> None:
        """What an `undo { }` does; nothing of it is undone."""
        env.undoing = True
        await self.block(body, env, Undos())

    async def _one(self, part: Instruction, env: Env, undos: Undos, way: Way) -> Leaving:
        run = self._run
        match part:
            case StepPlan():
                return await self._steps.step(part, env, undos, way)
            case LetPlan():
                env[part.name] = run.value(part.value, env, part.place)
            case SetPlan():
                env.assign(part.name, run.value(part.value, env, part.place))
            case IfPlan() | MatchPlan():
                number = way[0].block if way else self._scopes.choice(part, env)
                return await self.inside(number, bodies(part)[number], env, undos, way)
            case WhilePlan():
                return await self._loops.repeat(part, env, undos, way)
            case ForPlan():
                return await self._loops.each(part, env, undos, way)
            case YieldPlan():
                return Yielded(run.value(part.value, env, part.place))
            case ParallelPlan():
                await self._parallel(part, env, undos)
            case RacePlan():
                number = way[0].block if way else await self._waits.race(part, env)
                return await self.inside(number, bodies(part)[number], env, undos, way)
            case AwaitPlan():
                return await self._waits.wait(part, env, undos, way)
            case SleepPlan():
                await self._waits.sleep(part, env)
            case TryPlan():
                return await self._scopes.attempt(part, env, undos, way)
            case EmitPlan():
                await self._emit(part, env)
            case FailPlan():
                raise SagaFailed(run.value(part.reason, env, part.place))
            case ReturnPlan():
                return Returned(run.value(part.value, env, part.place) if part.value else None)
        return None

    async def _emit(self, part: EmitPlan, env: Env) -> None:
        run = self._run
        run.waits += 1
        payload = run.expressions.payload(part.event, part.arguments, env, part.place)
        await run.effects.publish(f"{part.path}{env.turn}", part.event, payload)

    async def _parallel(self, part: ParallelPlan, env: Env, undos: Undos) -> None:
        branches = [(b, Env(env, alone=False), Undos()) for b in part.branches]
        try:
            await together([self.block(b.body, e, u) for b, e, u in branches])
        finally:
            undos.push([u for _, _, u in branches])
        for branch, inner, _ in branches:
            env.update({name: inner[name] for name in branch.exports})
