"""Scopes: a `try` whose failure is undone before its handler runs; `if` and `match`."""

from __future__ import annotations

from typing import Any

from dsl.values import Struct
from orchestrator.compile.plan import IfPlan, MatchPlan, TryPlan
from orchestrator.runtime.backward import Compensation, never
from orchestrator.runtime.effects import SagaFailed
from orchestrator.runtime.env import Env
from orchestrator.runtime.interpreter.run import Inner, Leaving, Run
from orchestrator.runtime.interpreter.steps import handler_of
from orchestrator.runtime.standing import Frame, Stopped, Way
from orchestrator.runtime.tasks import undisturbed
from orchestrator.runtime.undo import Undos


class Scopes:
    """The choices and scopes of one run."""

    def __init__(self, run: Run, inner: Inner, compensation: Compensation) -> None:
        self._run = run
        self._inner = inner
        self._compensation = compensation

    def choice(self, part: IfPlan | MatchPlan, env: Env) -> int:
        """Which of its blocks is taken. Raises SagaFailed."""
        if isinstance(part, IfPlan):
            return 0 if self._run.value(part.condition, env, part.place) else 1
        subject = self._run.value(part.subject, env, part.place)
        pattern = subject.type if isinstance(subject, Struct) else subject
        for number, case in enumerate(part.cases):
            if case.pattern == pattern:
                if case.name:
                    env[case.name] = subject
                return number
        return len(part.cases)

    async def attempt(self, part: TryPlan, env: Env, undos: Undos, way: Way) -> Leaving:
        """A `try`: what its body did is one entry of the stack around it. Raises SagaFailed for a
        failure that it has no handler for."""
        frame = way[0] if way else Frame()
        if frame.block and not frame.undoing:
            body = part.handlers[frame.block - 1].body
            return await self._inner.inside(frame.block, body, env, undos, way)
        inner = undos.pop() if way else Undos()
        assert isinstance(inner, Undos), "a scope's stack is on top of the one around it"
        failure = frame.undoing
        try:
            left = None
            if failure is None:
                left = await self._inner.inside(0, part.body, env, inner, way)
        except SagaFailed as failed:
            number = handler_of(part.handlers, failed.cause) if failed.cause else None
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
        full = self._run.full if env.alone else never
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
        return await self._inner.inside(block, handler.body, env, undos)
