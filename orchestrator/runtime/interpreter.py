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
from orchestrator.compile.compile import bodies
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
from orchestrator.runtime.backward import Compensation, never
from orchestrator.runtime.effects import (
    Command,
    CommandFailed,
    Decision,
    Effects,
    Finished,
    Reason,
    SagaFailed,
    Untouched,
)
from orchestrator.runtime.env import Env
from orchestrator.runtime.evaluation import Expressions
from orchestrator.runtime.snapshot import freeze_names, freeze_undos, thaw_names, thaw_undos
from orchestrator.runtime.standing import Frame, Paused, Stopped, Way, thaw_frame
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


Leaving = Returned | Yielded | Stopped | None

#: A loop that turns so often without waiting for anything would never let go of the worker.
_IDLE_TURNS = 10_000


class Interpreter:
    """One run of one saga. It stops between two turns of a loop, and between two undos, when `full`
    says that the run is; another one goes on from there, with the `state` of this one. A loop that
    cannot stop, because something runs beside it, fails when the run is `spent`."""

    def __init__(
        self,
        plan: Plan,
        saga: SagaPlan,
        effects: Effects,
        expressions: Expressions,
        full: Callable[[], bool] = never,
        spent: Callable[[], bool] = never,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._plan = plan
        self._saga = saga
        self._effects = effects
        self._expressions = expressions
        self._full = full
        self._spent = spent
        self._compensation = Compensation(effects, expressions, self._undo_block)
        #: The names of the saga's outermost block.
        self.names = Env(alone=True)
        #: What is to be undone, last of all first.
        self.undos = Undos()
        self._forward = False  # the pivot has been passed
        self._waits = 0  # how often the saga has acted or waited
        self._way: Way = ()
        if state is not None:
            self._recall(state)

    async def run(self, parameters: Mapping[str, Any]) -> Any:
        """The saga's result. Raises SagaFailed, compensating is the caller's next call then; Paused
        when it stopped."""
        return await self._body(parameters, ())

    async def resume(self) -> Any:
        """Goes on where the run before stopped; as `run` otherwise."""
        return await self._body({}, self._way)

    async def compensate(self) -> None:
        """Undoes what was done and is not undone yet, last first. Raises CompensationFailed, and
        Paused when it stopped."""
        if not await self._compensation.run(self.undos, self._full):
            await self._effects.settle()
            raise Paused(self._remembered())

    async def _body(self, names: Mapping[str, Any], way: Way) -> Any:
        env = self.names
        env.update({CLOCK: self._effects.now, **names})
        left = await self._block(self._saga.body, env, self.undos, way)
        if isinstance(left, Stopped):
            await self._effects.settle()
            frames = [f.freeze() for f in reversed(left.frames)]
            # Only now: updates may have changed variables meanwhile.
            raise Paused({**self._remembered(), "way": frames})
        return left.value if left else None

    def _remembered(self) -> dict[str, Any]:
        return {
            "undos": freeze_undos(self.undos),
            "forward": self._forward,
            "names": freeze_names(self.names.own()),
        }

    def _recall(self, state: Mapping[str, Any]) -> None:
        self.undos = thaw_undos(state["undos"], self._saga, self._effects.now)
        self._forward = state["forward"]
        self.names.update({CLOCK: self._effects.now, **thaw_names(state.get("names", {}))})
        self._way = tuple(map(thaw_frame, state.get("way", ())))

    async def _block(
        self, body: tuple[Instruction, ...], env: Env, undos: Undos, way: Way = ()
    ) -> Leaving:
        for index in range(way[0].index if way else 0, len(body)):
            left = await self._one(body[index], env, undos, way)
            way = ()
            if isinstance(left, Stopped):
                left.frames[-1].index = index
            if left is not None:
                return left
        return None

    async def _undo_block(self, body: tuple[Instruction, ...], env: Env) -> None:
        """What an `undo { }` does; nothing of it is undone."""
        env.undoing = True
        await self._block(body, env, Undos())

    async def _inside(
        self,
        block: int,
        body: tuple[Instruction, ...],
        env: Env,
        undos: Undos,
        way: Way = (),
    ) -> Leaving:
        """A block inside an instruction; `block` is its number there."""
        left = await self._block(body, env, undos, way[1:])
        if isinstance(left, Stopped):
            left.frames.append(Frame(block=block))
        return left

    async def _one(self, part: Instruction, env: Env, undos: Undos, way: Way) -> Leaving:
        match part:
            case StepPlan():
                return await self._step(part, env, undos, way)
            case LetPlan():
                env[part.name] = self._value(part.value, env, part.place)
            case SetPlan():
                env.assign(part.name, self._value(part.value, env, part.place))
            case IfPlan() | MatchPlan():
                block = way[0].block if way else self._choice(part, env)
                return await self._inside(block, bodies(part)[block], env, undos, way)
            case WhilePlan():
                return await self._while(part, env, undos, way)
            case ForPlan():
                return await self._for(part, env, undos, way)
            case YieldPlan():
                return Yielded(self._value(part.value, env, part.place))
            case ParallelPlan():
                await self._parallel(part, env, undos)
            case RacePlan():
                block = way[0].block if way else await self._race(part, env)
                return await self._inside(block, bodies(part)[block], env, undos, way)
            case AwaitPlan():
                return await self._await(part, env, undos, way)
            case SleepPlan():
                seconds = self._seconds(part.time, env, part.place) or 0.0
                self._waits += seconds > 0
                await self._effects.sleep(seconds)
            case TryPlan():
                return await self._try(part, env, undos, way)
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

    async def _step(self, step: StepPlan, env: Env, undos: Undos, way: Way) -> Leaving:
        if way:
            block = way[0].block
            return await self._inside(block, step.handlers[block].body, env, undos, way)
        self._waits += 1
        command = self._expressions.command(step.path, step.call, env, step.place)
        undo = None  # from the pivot on nothing is undone
        if _undone(step) and not self._forward:
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
            except asyncio.CancelledError as cancelled:
                if undo and not isinstance(cancelled, Untouched):
                    undos.push(undo)
                raise
        child = None
        if isinstance(answer, Finished):
            answer, child = answer.value, answer.undos
        env[step.name] = answer
        if step.pivot:
            self._pass_pivot()
        elif undo:
            undo.env[step.name], undo.known, undo.child = answer, True, child
            if child or not step.undoes_itself:
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
        text = f"{command.shown} failed: {failed}"
        env[step.name] = None
        if (number := _handler(step.handlers, failed)) is not None:
            handler = step.handlers[number]
            if handler.name:
                env[handler.name] = failed.named
            return Decision.SKIP, await self._inside(number, handler.body, env, undos)
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

    # --- choices and scopes

    def _choice(self, part: IfPlan | MatchPlan, env: Env) -> int:
        """Which of its blocks is taken."""
        if isinstance(part, IfPlan):
            return 0 if self._value(part.condition, env, part.place) else 1
        subject = self._value(part.subject, env, part.place)
        pattern = subject.type if isinstance(subject, Struct) else subject
        for number, case in enumerate(part.cases):
            if case.pattern == pattern:
                if case.name:
                    env[case.name] = subject
                return number
        return len(part.cases)

    async def _try(self, part: TryPlan, env: Env, undos: Undos, way: Way) -> Leaving:
        frame = way[0] if way else Frame()
        if frame.block and not frame.undoing:
            body = part.handlers[frame.block - 1].body
            return await self._inside(frame.block, body, env, undos, way)
        inner = undos.pop() if way else Undos()
        assert isinstance(inner, Undos), "a scope's stack is on top of the one around it"
        failure = frame.undoing
        try:
            left = None
            if failure is None:
                left = await self._inside(0, part.body, env, inner, way)
        except SagaFailed as failed:
            number = _handler(part.handlers, failed.cause) if failed.cause else None
            if number is None or failed.cause is None:
                undos.push(inner)
                raise
            frame, failure = Frame(block=number + 1), (failed.cause.named,)
        except BaseException:
            undos.push(inner)
            raise
        if failure is None:
            undos.push(inner)
            return left
        return await self._undone(part, frame.block, failure, inner, env, undos)

    async def _undone(
        self,
        part: TryPlan,
        block: int,
        failure: tuple[Any],
        inner: Undos,
        env: Env,
        undos: Undos,
    ) -> Leaving:
        """Undoes a scope, then goes on with the handler in this block."""
        full = self._full if env.alone else never
        try:
            ended = await undisturbed(self._compensation.run(inner, full))
        finally:
            if inner.entries:
                undos.push(inner)
        if not ended:
            return Stopped([Frame(block=block, undoing=failure)])
        handler = part.handlers[block - 1]
        if handler.name:
            env[handler.name] = failure[0]
        return await self._inside(block, handler.body, env, undos)

    # --- loops

    def _stops(self, part: WhilePlan | ForPlan, env: Env, going_on: bool) -> bool:
        """Whether a loop stops before its turn; not where it is `going_on` from another run. Raises
        SagaFailed for one that would have had to."""
        if going_on:
            return False
        if env.alone and self._full():
            return True
        if self._spent() and not self._forward and not env.undoing:
            text = "there are too many turns for one run, and no place to go on in another"
            raise SagaFailed(f"{part.place.file}:{part.place.line}: {text}")
        return False

    async def _while(self, part: WhilePlan, env: Env, undos: Undos, way: Way) -> Leaving:
        frame, inwards = (way[0], way[1:]) if way else (None, ())
        turn, idle = frame.turn if frame else 0, 0
        while True:
            inner = Env(env, f"{env.turn}[{turn}]")
            if frame and frame.names is not None:
                inner.update(frame.names)
            elif self._stops(part, env, frame is not None):
                return Stopped([Frame(turn=turn)])
            elif not self._value(part.condition, env, part.place):
                return None
            before = self._waits
            left = await self._block(part.body, inner, undos, inwards)
            frame, inwards = None, ()
            if isinstance(left, Stopped):
                left.frames.append(Frame(turn=turn, names=inner.own()))
            if left is not None:
                return left
            turn += 1
            idle = idle + 1 if self._waits == before else 0
            if idle == _IDLE_TURNS:
                where = f"{part.place.file}:{part.place.line}"
                raise SagaFailed(f"{where}: {idle} turns of this loop waited for nothing")

    async def _for(self, part: ForPlan, env: Env, undos: Undos, way: Way) -> Leaving:
        frame = way[0] if way else None
        items = frame.items if frame else self._value(part.items, env, part.place)
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
            left = await self._block(part.body, turn, undos, inwards)
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
                ends[number] = await self._block(part.body, turn, undone)

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

    # --- side by side

    async def _parallel(self, part: ParallelPlan, env: Env, undos: Undos) -> None:
        branches = [(b, Env(env, alone=False), Undos()) for b in part.branches]
        try:
            await together([self._block(b.body, e, u) for b, e, u in branches])
        finally:
            undos.push([u for _, _, u in branches])
        for branch, inner, _ in branches:
            env.update({name: inner[name] for name in branch.exports})

    # --- waiting

    async def _await(self, part: AwaitPlan, env: Env, undos: Undos, way: Way) -> Leaving:
        if way:
            return await self._inside(0, part.on_timeout or (), env, undos, way)
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
        return await self._inside(0, part.on_timeout, env, undos)

    async def _race(self, part: RacePlan, env: Env) -> int:
        """Which of its blocks is taken."""
        seconds = self._seconds(part.limit, env, part.place)
        found = await self._receive(part.arms, seconds, env, part.place)
        if found is None:
            return len(part.arms)
        if name := part.arms[found[0]].name:
            env[name] = found[1]
        return found[0]

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


def _undone(step: StepPlan) -> bool:
    return step.undo is not None or step.undo_body is not None or step.undoes_itself


def _handler(handlers: tuple[HandlerPlan, ...], failed: CommandFailed) -> int | None:
    """The number of a failure's handler: by its message, or by how the attempts ended; `exhausted`
    stands for every way in which they can end without an answer."""
    if failed.failure is not None:
        names = [failed.failure.type]
    elif failed.reason in (Reason.FAILED, Reason.BROKEN):
        names = ["failed"]
    elif failed.reason is Reason.TIMEOUT:
        names = ["timeout", "exhausted"]
    else:
        names = ["timeout" if failed.reason is Reason.NO_EVENT else "exhausted"]
    by_name = {h.failure: n for n, h in enumerate(handlers)}
    return next((by_name[n] for n in names if n in by_name), None)
