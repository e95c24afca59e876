"""The exchange of a command and its answer, as a scenario gives it."""

from __future__ import annotations

import asyncio
from typing import Any

from dsl.model import Callee, wire_type
from orchestrator.compile.plan import PolicyPlan
from orchestrator.messaging.codec import CodecError
from orchestrator.runtime.effects import Command
from orchestrator.runtime.outcomes import declared, unusable
from orchestrator.runtime.wire import message_id
from orchestrator.testing import words
from orchestrator.testing.answers import Answer
from orchestrator.testing.course import Event
from orchestrator.testing.world import World


class Exchanges:
    """Those of one saga, by its id."""

    def __init__(self, world: World, id: str) -> None:
        self._world = world
        self._id = id
        #: Functions that a cancel came upon, by message id.
        self._ended: dict[str, Answer] = {}

    async def answer(self, command: Command) -> Answer | None:
        """The answer that comes in time; None when the last attempt has none."""
        world, policy = self._world, command.policy
        id, loop = message_id(self._id, command.message), self._world.loop
        for attempt in range(1, policy.attempts + 1):
            world.act()
            begun = loop.time()
            answer = self._ended.pop(id, None) or world.answers.to(command, id, begun)
            if answer and answer.at <= begun + policy.timeout:
                await self._until(answer, command, id)
                return answer
            await asyncio.sleep(policy.timeout)
            of = f"attempt {attempt} of {policy.attempts}"
            text = f"no answer within {words.elapsed(policy.timeout)}, {of}"
            world.log(Event.SILENT, text, path=command.message)
            if attempt < policy.attempts:
                await asyncio.sleep(_pause(policy, attempt))
        return None

    async def _until(self, answer: Answer, command: Command, id: str) -> None:
        """Waits for an answer. Nothing can stop a function: a cancel ends the wait when it is
        done, and its result is there when it is to be undone."""
        loop = self._world.loop
        try:
            await asyncio.sleep(max(0.0, answer.at - loop.time()))
        except asyncio.CancelledError:
            if command.callee is Callee.ACTIVITY and not self._world.over:
                await asyncio.sleep(max(0.0, answer.at - loop.time()))
                self._ended[id] = answer
            raise

    def read(self, answer: Answer, command: Command) -> Any:
        """What an answer gives the saga. Raises CommandFailed for a failure, and for what no
        participant could have sent."""
        if command.callee is Callee.ACTIVITY:
            shown = self._world.gave(command.name, answer.payload)
            self._world.log(Event.ANSWERED, shown, path=command.message)
            return answer.payload
        contract, payload = self._world.plan.commands[command.name], answer.payload
        try:
            self._world.codec.encode(payload, payload.type)
        except CodecError as error:
            failed = unusable(command.name, f"`{wire_type(payload.type)}`: {error}")
            self._world.log(Event.FAILED, str(failed), path=command.message)
            raise failed from None
        key = self._world.plan.events[payload.type].key
        short = f"{payload.type.rpartition('.')[2]}({self._world.fields(payload, key)})"
        if payload.type in contract.fails:
            self._world.log(Event.FAILED, short, path=command.message)
            raise declared(payload, key)
        self._world.log(Event.ANSWERED, short, path=command.message)
        return payload


def _pause(policy: PolicyPlan, attempt: int) -> float:
    """The wait after an attempt, as Temporal counts it; without a maximum it is 100 times the
    first one. Jitter is left out: a scenario takes the same time whenever it runs."""
    maximum = policy.maximum if policy.maximum is not None else 100 * policy.initial
    return float(min(policy.initial * policy.factor ** (attempt - 1), maximum))
