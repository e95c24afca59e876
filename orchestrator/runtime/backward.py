"""The way back: what was done is undone, last first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from dsl.model import Callee
from orchestrator.compile.plan import CallPlan, Instruction
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
from orchestrator.runtime.undo import Undo, Undos


def never() -> bool:
    """Of a saga that runs to its end in one run."""
    return False


class CompensationFailed(Exception):
    """A person decided to give an undo up."""


class _NothingDone(Exception):
    """A command whose outcome was unknown turned out to have failed: there is nothing to undo."""


class Compensation:
    """Undoes what stacks of undos hold; `block` runs the instructions of an `undo { }`."""

    def __init__(
        self,
        effects: Effects,
        expressions: Expressions,
        block: Callable[[tuple[Instruction, ...], Env], Awaitable[Any]],
    ) -> None:
        self._effects = effects
        self._block = block
        self._expressions = expressions

    async def run(self, undos: Undos, full: Callable[[], bool] = never) -> bool:
        """Empties a stack; False when it stopped before that, because `full` said so between two
        undos. Raises CompensationFailed."""
        while undos.entries:
            entry = undos.entries[-1]
            if isinstance(entry, Undo):
                await self._undo(entry)
            elif isinstance(entry, Undos):
                if not await self.run(entry, full):
                    return False
            elif not await self._side_by_side(entry, full):
                return False
            undos.pop()
            if undos.entries and full():
                return False
        return True

    async def _side_by_side(self, branches: list[Undos], full: Callable[[], bool]) -> bool:
        undone = (self.run(branch, full) for branch in branches)
        # All to their ends, before one that was given up ends the saga.
        ends = await asyncio.gather(*undone, return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return all(ends)

    async def _undo(self, undo: Undo) -> None:
        """Runs one undo until it is done, is known not to be needed, or a person gives it up."""
        step = undo.step
        path = f"{step.path}{undo.env.turn}:undo"
        while True:
            try:
                if step.call.callee is Callee.SAGA and not undo.known:
                    raise _lost(undo.command)
                if step.undo_reads_reply and not undo.known:
                    # The command is sent once more, under its id: the answer tells what to undo.
                    undo.env[step.name] = await self._settle(undo.command, step.undo or step.call)
                    undo.known = True
                if step.undo_body is not None:
                    # Again from its beginning, and from the same names, when it is tried again.
                    await self._block(step.undo_body, undo.env.snapshot())
                elif step.undoes_itself:
                    await self._effects.undo_child(undo.command, undo.child)
                elif step.undo:
                    await self._effects.call(self._command(path, undo, step.undo))
                return
            except _NothingDone:
                return
            except (CommandFailed, SagaFailed) as failed:
                decision = await self._effects.attention(path, str(failed))
            if decision is Decision.SKIP:
                return
            if decision is Decision.FAIL:
                raise CompensationFailed(f"{path} was given up")

    def _command(self, path: str, undo: Undo, call: CallPlan) -> Command:
        place = undo.step.place
        arguments = self._expressions.payload(call.command, call.arguments, undo.env, place)
        return Command(path, call.command, arguments, call.policy, call.callee)

    async def _settle(self, command: Command, undo: CallPlan) -> Any:
        patient = replace(command, policy=undo.policy)
        try:
            return await self._effects.call(patient)
        except CommandFailed as failed:
            if failed.reason is Reason.DECLARED:
                raise _NothingDone from None
            raise


def _lost(command: Command) -> CommandFailed:
    """A saga cannot be asked again, as a participant can: its key is used up."""
    text = f"`{command.shown}` was ended by force, and nobody knows what it did"
    return CommandFailed(Reason.BROKEN, text)
