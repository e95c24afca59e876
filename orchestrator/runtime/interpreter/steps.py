"""Steps: a call, what its failure is followed by, and what it leaves to be undone."""

from __future__ import annotations

import asyncio

from dsl.model import Exhausted
from orchestrator.compile.plan import HandlerPlan, StepPlan
from orchestrator.runtime.effects import (
    Command,
    CommandFailed,
    Decision,
    Finished,
    Reason,
    SagaFailed,
    Untouched,
)
from orchestrator.runtime.env import Env
from orchestrator.runtime.interpreter.run import Inner, Leaving, Run
from orchestrator.runtime.standing import Way
from orchestrator.runtime.undo import Undo, Undos


class Steps:
    """The steps of one run."""

    def __init__(self, run: Run, inner: Inner) -> None:
        self._run = run
        self._inner = inner

    async def step(self, step: StepPlan, env: Env, undos: Undos, way: Way) -> Leaving:
        """Calls until there is an answer, a handler has dealt with the failure, or a person has
        decided about it. Raises SagaFailed."""
        run = self._run
        if way:
            number = way[0].block
            return await self._inner.inside(number, step.handlers[number].body, env, undos, way)
        run.waits += 1
        command = run.expressions.command(step.path, step.call, env, step.place)
        undo = None  # from the pivot on nothing is undone
        if _undone(step) and not run.forward:
            undo = Undo(step, command, env.snapshot(), known=False)
        while True:
            try:
                answer = await run.effects.call(command)
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
            run.pass_pivot()
        elif undo:
            undo.env[step.name], undo.known, undo.child = answer, True, child
            if child or not step.undoes_itself:
                undos.push(undo)
        return None

    async def _failed(
        self, step: StepPlan, command: Command, failed: CommandFailed, env: Env, undos: Undos
    ) -> tuple[Decision, Leaving]:
        """What follows a failure: its handler, else the failure of what is around it; after the
        pivot, or where the policy says so, a person decides."""
        run = self._run
        if failed.outcome_unknown:
            await run.effects.bury(command, str(failed))
        text = f"{command.shown} failed: {failed}"
        env[step.name] = None
        if (number := handler_of(step.handlers, failed)) is not None:
            handler = step.handlers[number]
            if handler.name:
                env[handler.name] = failed.named
            return Decision.SKIP, await self._inner.inside(number, handler.body, env, undos)
        parks = step.call.policy.exhausted is Exhausted.PARK and failed.outcome_unknown
        if run.forward or parks:
            decision = await self._decided(step, command, text)
            if decision is Decision.SKIP and step.pivot:
                run.pass_pivot()
            if decision is not Decision.FAIL:
                return decision, None
        raise SagaFailed(text, failed) from None

    async def _decided(self, step: StepPlan, command: Command, text: str) -> Decision:
        """A person's decision about a step that is parked; one whose answer is needed later on is
        not skipped."""
        effects = self._run.effects
        decision = await effects.attention(command.message, text)
        while decision is Decision.SKIP and step.needed:
            more = f"{text}; `{step.name}` is read later on: it cannot be skipped"
            decision = await effects.attention(command.message, more)
        return decision


def _undone(step: StepPlan) -> bool:
    return step.undo is not None or step.undo_body is not None or step.undoes_itself


def handler_of(handlers: tuple[HandlerPlan, ...], failed: CommandFailed) -> int | None:
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
