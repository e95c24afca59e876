"""Interprets a saga's plan. Deterministic: every effect goes through `Effects`.

It runs on any asyncio loop, Temporal's or a test's, and takes nothing from it but tasks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dsl.cel.errors import CelError
from dsl.cel.evaluate import CLOCK, Compiled, compile_node
from dsl.cel.nodes import Node
from dsl.model import Place, wire_type
from dsl.values import Struct
from orchestrator.compile.plan import (
    AwaitPlan,
    BranchPlan,
    CallPlan,
    EmitPlan,
    FailPlan,
    HandlerPlan,
    IfPlan,
    Instruction,
    LetPlan,
    ParallelPlan,
    Plan,
    ReturnPlan,
    SagaPlan,
    StepPlan,
)
from orchestrator.runtime.effects import (
    Command,
    CommandFailed,
    Decision,
    Effects,
    Reason,
    SagaFailed,
)
from orchestrator.runtime.undo import Undo, Undos

Variables = dict[str, Any]


class CompensationFailed(Exception):
    """A person decided to give an undo up."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A saga's result, on its way out of the blocks it stands in."""

    value: Any


class Expressions:
    """The compiled expressions of one plan, each compiled when it is first needed."""

    def __init__(self) -> None:
        self._compiled: dict[int, tuple[Node, Compiled]] = {}

    def evaluate(self, node: Node, env: Mapping[str, Any]) -> Any:
        """The value of an expression. Raises CelError."""
        # The node is kept beside its code: an id is only its own while it lives.
        found = self._compiled.get(id(node))
        if found is None:
            found = self._compiled[id(node)] = (node, compile_node(node))
        return found[1](env)


class Interpreter:
    """One run of one saga."""

    def __init__(
        self, plan: Plan, saga: SagaPlan, effects: Effects, expressions: Expressions
    ) -> None:
        self._plan = plan
        self._saga = saga
        self._effects = effects
        self._expressions = expressions
        self._undos = Undos()

    async def run(self, parameters: Mapping[str, Any]) -> Any:
        """The saga's result. Raises SagaFailed; compensating is the caller's next call."""
        env: Variables = {CLOCK: self._effects.now, **parameters}
        returned = await self._block(self._saga.body, env, self._undos)
        return returned.value if returned else None

    async def compensate(self) -> None:
        """Undoes what was done, last first. Raises CompensationFailed."""
        await self._undo_all(self._undos)

    # --- forward

    async def _block(
        self, body: tuple[Instruction, ...], env: Variables, undos: Undos
    ) -> Returned | None:
        for instruction in body:
            returned = await self._one(instruction, env, undos)
            if returned is not None:
                return returned
        return None

    async def _one(self, part: Instruction, env: Variables, undos: Undos) -> Returned | None:
        match part:
            case StepPlan():
                return await self._step(part, env, undos)
            case LetPlan():
                env[part.name] = self._value(part.value, env, part.place)
            case IfPlan():
                holds = self._value(part.condition, env, part.place)
                return await self._block(part.then if holds else part.otherwise, env, undos)
            case ParallelPlan():
                await self._parallel(part, env, undos)
            case AwaitPlan():
                return await self._await(part, env, undos)
            case EmitPlan():
                payload = self._payload(part.event, part.arguments, env, part.place)
                await self._effects.publish(part.path, part.event, payload)
            case FailPlan():
                raise SagaFailed(self._value(part.reason, env, part.place))
            case ReturnPlan():
                value = self._value(part.value, env, part.place) if part.value else None
                return Returned(value)
        return None

    async def _step(self, step: StepPlan, env: Variables, undos: Undos) -> Returned | None:
        command = self._command(step.path, step.call, env, step.place)
        try:
            env[step.name] = await self._effects.call(command)
        except CommandFailed as failed:
            return await self._failed(step, command, failed, env, undos)
        except asyncio.CancelledError:
            if step.undo:
                undos.push(Undo(step, dict(env), known=False))
            raise
        if step.undo:
            undos.push(Undo(step, dict(env), known=True))
        return None

    async def _failed(
        self, step: StepPlan, command: Command, failed: CommandFailed, env: Variables, undos: Undos
    ) -> Returned | None:
        if failed.outcome_unknown:
            if step.undo:
                undos.push(Undo(step, dict(env), known=False))
            await self._effects.bury(command, str(failed))
        handler = _handler(step.handlers, failed)
        if handler is None:
            raise SagaFailed(f"{wire_type(command.name)} failed: {failed}") from None
        env[step.name] = None
        if handler.name:
            env[handler.name] = failed.failure
        return await self._block(handler.body, env, undos)

    async def _parallel(self, part: ParallelPlan, env: Variables, undos: Undos) -> None:
        branches = [(b, dict(env), Undos()) for b in part.branches]
        tasks = [asyncio.ensure_future(self._block(b.body, e, u)) for b, e, u in branches]
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            # The first failure cancels the rest; what they had done is known when all have ended.
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            if any(isinstance(end, BaseException) for end in ends):
                raise
            # A cancel that found every branch at its end: it is for what comes next.
            _cancel_again()
        finally:
            undos.push([u for _, _, u in branches])
        for branch, inner, _ in branches:
            _export(branch, inner, env)

    async def _await(self, part: AwaitPlan, env: Variables, undos: Undos) -> Returned | None:
        limit = self._value(part.within, env, part.place) if part.within else None
        seconds = limit.total_seconds() if limit is not None else None
        event = await self._effects.receive(part.event, self._fits(part, env), seconds)
        if part.name:
            env[part.name] = event
        if event is not None:
            return None
        if part.on_timeout is None:
            raise SagaFailed(f"no {wire_type(part.event)} came within {seconds:g}s")
        return await self._block(part.on_timeout, env, undos)

    def _fits(self, part: AwaitPlan, env: Variables) -> Callable[[Struct], bool]:
        def fits(event: Struct) -> bool:
            if part.condition is None:
                return True
            seen = {**env, part.name: event} if part.name else env
            return bool(self._value(part.condition, seen, part.place))

        return fits

    # --- backward

    async def _undo_all(self, undos: Undos) -> None:
        while (entry := undos.pop()) is not None:
            if isinstance(entry, Undo):
                await self._undo(entry)
            else:
                # All to their ends, before one that was given up ends the saga.
                undone = (self._undo_all(branch) for branch in entry)
                ends = await asyncio.gather(*undone, return_exceptions=True)
                for failed in (e for e in ends if e is not None):
                    raise failed

    async def _undo(self, undo: Undo) -> None:
        """Runs one undo until it is done, is known not to be needed, or a person gives it up."""
        step = undo.step
        assert step.undo
        path = f"{step.path}:undo"
        while True:
            try:
                if step.undo_reads_reply and not undo.known:
                    # The command is sent once more, under its id: the answer tells what to undo.
                    again = self._command(step.path, step.call, undo.env, step.place)
                    undo.env[step.name] = await self._settle(again, step.undo)
                    undo.known = True
                await self._effects.call(self._command(path, step.undo, undo.env, step.place))
                return
            except _NothingDone:
                return
            except (CommandFailed, SagaFailed) as failed:
                decision = await self._effects.attention(path, str(failed))
            if decision is Decision.SKIP:
                return
            if decision is Decision.FAIL:
                raise CompensationFailed(f"{path} was given up")

    async def _settle(self, command: Command, undo: CallPlan) -> Struct:
        patient = Command(command.message, command.name, command.arguments, undo.policy)
        try:
            return await self._effects.call(patient)
        except CommandFailed as failed:
            if failed.reason is Reason.DECLARED:
                raise _NothingDone from None
            raise

    # --- expressions

    def _value(self, node: Node, env: Mapping[str, Any], place: Place) -> Any:
        try:
            return self._expressions.evaluate(node, env)
        except CelError as error:
            raise SagaFailed(f"{place.file}:{place.line}: {error}") from None

    def _payload(
        self, type: str, arguments: Mapping[str, Node], env: Variables, place: Place
    ) -> Struct:
        return Struct(type, {n: self._value(e, env, place) for n, e in arguments.items()})

    def _command(self, path: str, call: CallPlan, env: Variables, place: Place) -> Command:
        arguments = self._payload(call.command, call.arguments, env, place)
        return Command(path, call.command, arguments, call.policy)


class _NothingDone(Exception):
    """A command whose outcome was unknown turned out to have failed: there is nothing to undo."""


def _handler(handlers: tuple[HandlerPlan, ...], failed: CommandFailed) -> HandlerPlan | None:
    """The handler of a failure: by its message, or by how the attempts ended; `exhausted` stands
    for every way in which they can end without an answer."""
    if failed.failure is not None:
        names = [failed.failure.type]
    elif failed.reason is Reason.TIMEOUT:
        names = ["timeout", "exhausted"]
    else:
        names = ["exhausted"]
    by_name = {h.failure: h for h in handlers}
    return next((by_name[n] for n in names if n in by_name), None)


def _cancel_again() -> None:
    task = asyncio.current_task()
    assert task
    task.cancel()


def _export(branch: BranchPlan, inner: Variables, env: Variables) -> None:
    env.update({name: inner[name] for name in branch.exports})
