"""Interprets a saga's plan. Deterministic: every effect goes through `Effects`.

It runs on any asyncio loop, Temporal's or a test's, and takes nothing from it but tasks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dsl.cel.evaluate import CLOCK
from dsl.cel.nodes import Node
from dsl.model import Exhausted, Place, wire_type
from dsl.values import Struct
from orchestrator.compile.plan import (
    ArmPlan,
    AwaitPlan,
    EmitPlan,
    FailPlan,
    ForPlan,
    HandlerPlan,
    IfPlan,
    Instruction,
    LetPlan,
    MatchPlan,
    ParallelPlan,
    Plan,
    RacePlan,
    ReturnPlan,
    SagaPlan,
    SetPlan,
    SleepPlan,
    StepPlan,
    TryPlan,
    WhilePlan,
    YieldPlan,
)
from orchestrator.runtime.backward import Compensation
from orchestrator.runtime.effects import (
    Command,
    CommandFailed,
    Decision,
    Effects,
    Reason,
    SagaFailed,
)
from orchestrator.runtime.env import Env
from orchestrator.runtime.evaluation import Expressions
from orchestrator.runtime.tasks import together, undisturbed
from orchestrator.runtime.undo import Undo, Undos


@dataclass(frozen=True, slots=True)
class Returned:
    """A saga's result, on its way out of the blocks it stands in."""

    value: Any


@dataclass(frozen=True, slots=True)
class Yielded:
    """What a turn of a loop gives, on its way out of the blocks inside that."""

    value: Any


Leaving = Returned | Yielded | None

#: A loop that turns so often without waiting for anything would never let go of the worker.
_IDLE_TURNS = 10_000


class Interpreter:
    """One run of one saga."""

    def __init__(
        self, plan: Plan, saga: SagaPlan, effects: Effects, expressions: Expressions
    ) -> None:
        self._plan = plan
        self._saga = saga
        self._effects = effects
        self._expressions = expressions
        self._compensation = Compensation(effects, expressions)
        #: What is to be undone, last of all first.
        self.undos = Undos()
        self._forward = False  # the pivot has been passed
        self._waits = 0  # how often the saga has acted or waited

    async def run(self, parameters: Mapping[str, Any]) -> Any:
        """The saga's result. Raises SagaFailed; compensating is the caller's next call."""
        env = Env()
        env.update({CLOCK: self._effects.now, **parameters})
        left = await self._block(self._saga.body, env, self.undos)
        return left.value if left else None

    async def compensate(self) -> None:
        """Undoes what was done, last first. Raises CompensationFailed."""
        await self._compensation.run(self.undos)

    async def _block(self, body: tuple[Instruction, ...], env: Env, undos: Undos) -> Leaving:
        for instruction in body:
            left = await self._one(instruction, env, undos)
            if left is not None:
                return left
        return None

    async def _one(self, part: Instruction, env: Env, undos: Undos) -> Leaving:
        match part:
            case StepPlan():
                return await self._step(part, env, undos)
            case LetPlan():
                env[part.name] = self._value(part.value, env, part.place)
            case SetPlan():
                env.assign(part.name, self._value(part.value, env, part.place))
            case IfPlan():
                holds = self._value(part.condition, env, part.place)
                return await self._block(part.then if holds else part.otherwise, env, undos)
            case MatchPlan():
                return await self._match(part, env, undos)
            case WhilePlan():
                return await self._while(part, env, undos)
            case ForPlan():
                return await self._for(part, env, undos)
            case YieldPlan():
                return Yielded(self._value(part.value, env, part.place))
            case ParallelPlan():
                await self._parallel(part, env, undos)
            case RacePlan():
                return await self._race(part, env, undos)
            case AwaitPlan():
                return await self._await(part, env, undos)
            case SleepPlan():
                seconds = self._seconds(part.time, env, part.place) or 0.0
                self._waits += seconds > 0
                await self._effects.sleep(seconds)
            case TryPlan():
                return await self._try(part, env, undos)
            case EmitPlan():
                self._waits += 1
                arguments = self._expressions.payload(part.event, part.arguments, env, part.place)
                await self._effects.publish(f"{part.path}{env.turn}", part.event, arguments)
            case FailPlan():
                raise SagaFailed(self._value(part.reason, env, part.place))
            case ReturnPlan():
                value = self._value(part.value, env, part.place) if part.value else None
                return Returned(value)
        return None

    def _value(self, node: Node, env: Mapping[str, Any], place: Place) -> Any:
        return self._expressions.value(node, env, place)

    # --- steps

    async def _step(self, step: StepPlan, env: Env, undos: Undos) -> Leaving:
        self._waits += 1
        command = self._expressions.command(step.path, step.call, env, step.place)
        undo = None  # from the pivot on nothing is undone
        if step.undo and not self._forward:
            undo = Undo(step, command, env.snapshot(), known=False)
        while True:
            try:
                answer = await self._effects.call(command)
                break
            except CommandFailed as failed:
                if undo and failed.outcome_unknown:
                    undos.push(undo)
                decision, left = await self._failed(step, command, failed, env, undos)
                if decision is not Decision.RETRY:
                    return left
                if undo:
                    undos.pop()  # what stood there while a person thought
            except asyncio.CancelledError:
                if undo:
                    undos.push(undo)
                raise
        env[step.name] = answer
        if step.pivot:
            self._pass_pivot()
        elif undo:
            undo.env[step.name], undo.known = answer, True
            undos.push(undo)
        return None

    def _pass_pivot(self) -> None:
        self._forward = True
        self.undos.clear()
        self._effects.pass_pivot()

    async def _failed(
        self, step: StepPlan, command: Command, failed: CommandFailed, env: Env, undos: Undos
    ) -> tuple[Decision, Leaving]:
        """What follows a failure: its handler, else the failure of what is around it; after the
        pivot, or where the policy says so, a person decides."""
        if failed.outcome_unknown:
            await self._effects.bury(command, str(failed))
        text = f"{wire_type(command.name)} failed: {failed}"
        env[step.name] = None
        if handler := _handler(step.handlers, failed):
            return Decision.SKIP, await self._handle(handler, failed, env, undos)
        parks = step.call.policy.exhausted is Exhausted.PARK and failed.outcome_unknown
        if self._forward or parks:
            decision = await self._decided(step, command, text)
            if decision is Decision.SKIP and step.pivot:
                self._pass_pivot()
            if decision is not Decision.FAIL:
                return decision, None
        raise SagaFailed(text, failed) from None

    async def _decided(self, step: StepPlan, command: Command, text: str) -> Decision:
        """A person's decision about a step that is parked; one whose answer is needed later on is
        not skipped."""
        decision = await self._effects.attention(command.message, text)
        while decision is Decision.SKIP and step.needed:
            more = f"{text}; `{step.name}` is read later on: it cannot be skipped"
            decision = await self._effects.attention(command.message, more)
        return decision

    async def _handle(
        self, handler: HandlerPlan, failed: CommandFailed, env: Env, undos: Undos
    ) -> Leaving:
        if handler.name:
            env[handler.name] = failed.failure
        return await self._block(handler.body, env, undos)

    # --- choices and scopes

    async def _match(self, part: MatchPlan, env: Env, undos: Undos) -> Leaving:
        subject = self._value(part.subject, env, part.place)
        pattern = subject.type if isinstance(subject, Struct) else subject
        for case in part.cases:
            if case.pattern == pattern:
                if case.name:
                    env[case.name] = subject
                return await self._block(case.body, env, undos)
        return await self._block(part.otherwise or (), env, undos)

    async def _try(self, part: TryPlan, env: Env, undos: Undos) -> Leaving:
        inner = Undos()
        try:
            left = await self._block(part.body, env, inner)
        except SagaFailed as failed:
            handler = _handler(part.handlers, failed.cause) if failed.cause else None
            if handler is None or failed.cause is None:
                undos.push(inner)
                raise
            await undisturbed(self._compensation.run(inner))
            return await self._handle(handler, failed.cause, env, undos)
        except BaseException:
            undos.push(inner)
            raise
        undos.push(inner)
        return left

    # --- loops

    async def _while(self, part: WhilePlan, env: Env, undos: Undos) -> Leaving:
        turn = idle = 0
        while self._value(part.condition, env, part.place):
            before = self._waits
            left = await self._block(part.body, Env(env, f"{env.turn}[{turn}]"), undos)
            if left is not None:
                return left
            turn += 1
            idle = idle + 1 if self._waits == before else 0
            if idle == _IDLE_TURNS:
                where = f"{part.place.file}:{part.place.line}"
                raise SagaFailed(f"{where}: {idle} turns of this loop waited for nothing")
        return None

    async def _for(self, part: ForPlan, env: Env, undos: Undos) -> Leaving:
        items = self._value(part.items, env, part.place)
        turns = [Env(env, f"{env.turn}[{i}]") for i in range(len(items))]
        for turn, item in zip(turns, items, strict=True):
            turn[part.name] = item
        if part.at_most is None:
            ends: list[Leaving] = []
            for turn in turns:
                left = await self._block(part.body, turn, undos)
                if isinstance(left, Returned):
                    return left
                ends.append(left)
        else:
            ends = await self._at_once(part, part.at_most, turns, undos)
        if part.collect:
            env[part.collect] = [end.value for end in ends if isinstance(end, Yielded)]
        return None

    async def _at_once(
        self, part: ForPlan, at_most: int, turns: Sequence[Env], undos: Undos
    ) -> list[Leaving]:
        """The turns, so many at once; they are undone one by one, last first."""
        ends: list[Leaving] = [None] * len(turns)
        stacks = [Undos() for _ in turns]
        left = iter(range(len(turns)))

        async def take() -> None:
            for i in left:
                ends[i] = await self._block(part.body, turns[i], stacks[i])

        try:
            await together([take() for _ in range(min(at_most, len(turns)))])
        finally:
            for stack in stacks:
                undos.push(stack)
        return ends

    # --- side by side

    async def _parallel(self, part: ParallelPlan, env: Env, undos: Undos) -> None:
        branches = [(b, Env(env), Undos()) for b in part.branches]
        try:
            await together([self._block(b.body, e, u) for b, e, u in branches])
        finally:
            undos.push([u for _, _, u in branches])
        for branch, inner, _ in branches:
            env.update({name: inner[name] for name in branch.exports})

    # --- waiting

    async def _await(self, part: AwaitPlan, env: Env, undos: Undos) -> Leaving:
        seconds = self._seconds(part.within, env, part.place)
        found = await self._receive([part], seconds, env, part.place)
        if part.name:
            env[part.name] = found[1] if found else None
        if found is not None:
            return None
        if part.on_timeout is None:
            name = part.event.rpartition(".")[2] if part.signal else wire_type(part.event)
            text = f"no {name} came within {seconds:g}s"
            raise SagaFailed(text, CommandFailed(Reason.NO_EVENT, text))
        return await self._block(part.on_timeout, env, undos)

    async def _race(self, part: RacePlan, env: Env, undos: Undos) -> Leaving:
        seconds = self._seconds(part.limit, env, part.place)
        found = await self._receive(part.arms, seconds, env, part.place)
        if found is None:
            return await self._block(part.after, env, undos)
        arm = part.arms[found[0]]
        if arm.name:
            env[arm.name] = found[1]
        return await self._block(arm.body, env, undos)

    async def _receive(
        self, arms: Sequence[AwaitPlan | ArmPlan], seconds: float | None, env: Env, place: Place
    ) -> tuple[int, Struct] | None:
        self._waits += seconds is None or seconds > 0
        found = await self._effects.receive(
            [(a.event, self._fits(a, env, place)) for a in arms], seconds
        )
        self._waits += found is not None
        return found

    def _seconds(self, limit: Node | None, env: Env, place: Place) -> float | None:
        if limit is None:
            return None
        seconds: float = self._value(limit, env, place).total_seconds()
        return seconds

    def _fits(self, part: AwaitPlan | ArmPlan, env: Env, place: Place) -> Callable[[Struct], bool]:
        def fits(event: Struct) -> bool:
            if part.condition is None:
                return True
            seen = {**env, part.name: event} if part.name else env
            return bool(self._value(part.condition, seen, place))

        return fits


def _handler(handlers: tuple[HandlerPlan, ...], failed: CommandFailed) -> HandlerPlan | None:
    """The handler of a failure: by its message, or by how the attempts ended; `exhausted` stands
    for every way in which they can end without an answer."""
    if failed.failure is not None:
        names = [failed.failure.type]
    elif failed.reason is Reason.TIMEOUT:
        names = ["timeout", "exhausted"]
    else:
        names = ["timeout" if failed.reason is Reason.NO_EVENT else "exhausted"]
    by_name = {h.failure: h for h in handlers}
    return next((by_name[n] for n in names if n in by_name), None)
