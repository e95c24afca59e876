"""How a workflow sends messages: commands at two speeds, events and dead letters at once."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, FailureError

from dsl.model import CommandModel, Delivery, wire_type
from dsl.types import Named
from dsl.values import Struct
from orchestrator.compile.plan import Plan, SagaPlan
from orchestrator.messaging.codec import DecodeError, JsonCodec
from orchestrator.messaging.payloads import Payloads
from orchestrator.runtime.answers import readable
from orchestrator.runtime.attempts import attempt_limit, explained, held_back, retry_policy
from orchestrator.runtime.cancels import Cancels
from orchestrator.runtime.effects import Command
from orchestrator.runtime.guards import guard_of
from orchestrator.runtime.outcomes import declared, payload_to_send, unusable
from orchestrator.runtime.wire import (
    EXCHANGE,
    PUBLISH,
    REQUEST,
    Answer,
    Outgoing,
    message_id,
    undone_by,
)

#: The most that the fast way may take; `Settings.window` stays below it. It must end well before
#: a workflow task's heartbeat (8 s with the server's default task timeout of 10 s).
FAST_LIMIT = timedelta(seconds=6)

#: A publish to a broker that is down is tried again without end: an event is never dropped.
_PUBLISH_ATTEMPT = timedelta(seconds=30)
_PUBLISH_RETRY = RetryPolicy(maximum_interval=timedelta(seconds=30))


class Calls:
    """Sends one saga's messages."""

    def __init__(
        self,
        plan: Plan,
        saga: SagaPlan,
        codec: JsonCodec,
        payloads: Payloads,
        cancels: Cancels,
        cause: str | None,
    ) -> None:
        self._plan = plan
        self._saga = saga
        self._codec = codec
        self._payloads = payloads
        self._cancels = cancels
        self._cause = cause
        self._id = workflow.info().workflow_id
        #: Activities that were cancelled and that the server has not closed yet, by message.
        self._closing: dict[str, workflow.ActivityHandle[Answer]] = {}

    async def call(self, command: Command) -> Struct:
        """Publishes a command and waits for its answer: a short while in this process, then by
        an activity that is completed from outside. One that is delivered at most once takes the
        second way alone: what is done in the process is done again when that is lost. Raises
        CommandFailed."""
        contract = self._plan.commands[command.name]
        outgoing = self._outgoing(command, contract)
        answer = None
        if contract.delivery is not Delivery.AT_MOST_ONCE:
            answer = await self._quickly(outgoing, command)
        if answer is None:
            answer = await self._durably(outgoing, command)
        return self._read(readable(answer, self._payloads), contract)

    async def _quickly(self, outgoing: Outgoing, command: Command) -> Answer | None:
        handle = workflow.start_local_activity(
            EXCHANGE,
            outgoing,
            activity_id=command.message,
            result_type=Answer,
            start_to_close_timeout=FAST_LIMIT,
            retry_policy=RetryPolicy(maximum_attempts=1),
        )
        try:
            return await self._cancels.finish(handle)
        except FailureError:
            return None  # the worker stopped or stalled: as if no answer had come in time

    async def _durably(self, outgoing: Outgoing, command: Command) -> Answer:
        await self._cancels.take_effect()
        # A command that was cancelled may be asked again, under its id. The server gives the id
        # free when it has closed the first activity: until then that is the one to wait for.
        if before := self._closing.pop(command.message, None):
            with contextlib.suppress(ActivityError):
                return await self._cancels.wait(before)
        once = self._plan.commands[command.name].delivery is Delivery.AT_MOST_ONCE
        holds, left, probe = 0, command.policy.attempts, False
        while True:
            try:
                return await self._attempts(replace(outgoing, probe=probe), command, left)
            except ActivityError as error:
                held = held_back(error)
                if held is None and (once or not probe):
                    raise explained(error, command.policy) from None
            probe = held is not None and held.probe
            if held is not None:
                # The attempts before are spent; this one is not, and neither is a probe.
                left = max(left - held.spent, 1) if left else 0
                await self._pause(held.wait_after(holds))
                holds += 1

    async def _attempts(self, outgoing: Outgoing, command: Command, limit: int) -> Answer:
        """At most `limit` attempts, 0 for any number; of a probe one. Raises ActivityError."""
        handle = workflow.start_activity(
            REQUEST,
            outgoing,
            activity_id=command.message,
            result_type=Answer,
            start_to_close_timeout=attempt_limit(command.policy),
            retry_policy=retry_policy(command.policy, 1 if outgoing.probe else limit),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        try:
            return await self._cancels.wait(handle)
        except asyncio.CancelledError:
            self._closing[command.message] = handle
            raise

    async def _pause(self, seconds: float) -> None:
        if seconds:
            await self._cancels.condition(lambda: False, seconds)

    def _read(self, answer: Answer, contract: CommandModel) -> Struct:
        """The typed reply. Raises CommandFailed for a declared failure, and for an answer that is
        neither."""
        by_type = {wire_type(n): n for n in (*contract.replies, *contract.fails)}
        name = by_type.get(answer.type)
        problem = answer.invalid
        if problem is None and name is None:
            expected = ", ".join(by_type)
            problem = f"`{answer.type}` is no answer to `{wire_type(contract.name)}` ({expected})"
        if problem is None and name is not None:
            try:
                payload: Struct = self._codec.from_wire(answer.data, Named(name))
            except DecodeError as error:
                problem = f"`{answer.type}`: {error}"
            else:
                if name in contract.fails:
                    raise declared(payload, self._plan.events[name].key)
                return payload
        raise unusable(contract.name, problem)

    async def publish(self, path: str, event: str, payload: Struct) -> None:
        """Publishes an event."""
        contract = self._plan.events[event]
        outgoing = Outgoing(
            id=message_id(self._id, path),
            type=wire_type(event),
            topic=contract.topic,
            data=payload_to_send(payload, self._codec),
            key=self._codec.key(payload, event, contract.key),
            saga=self._saga.short,
            correlation=self._id,
            cause=self._cause,
        )
        if contract.delivery is Delivery.AT_MOST_ONCE:
            await self._send_once(outgoing, path)
        else:
            await self._send(outgoing, path)

    async def _send_once(self, outgoing: Outgoing, path: str) -> None:
        """By an ordinary activity, which the server starts once: a local one is run again when its
        worker dies, and may have published then."""
        handle = workflow.start_activity(
            PUBLISH,
            outgoing,
            activity_id=path,
            start_to_close_timeout=_PUBLISH_ATTEMPT,
            schedule_to_start_timeout=_PUBLISH_ATTEMPT,
            retry_policy=RetryPolicy(maximum_attempts=1),
        )
        try:
            await self._cancels.finish(handle)
        except FailureError:
            workflow.logger.warning("event dropped: it is delivered at most once")

    async def bury(self, command: Command, reason: str) -> None:
        """Publishes a command as a dead letter, where its policy names a topic."""
        if command.policy.dead_letter is None:
            return
        letter = self._outgoing(command, self._plan.commands[command.name])
        letter.dead_letter, letter.reason = command.policy.dead_letter, reason
        await self._send(letter, f"{command.message}:dead-letter")

    async def _send(self, outgoing: Outgoing, path: str) -> None:
        while True:
            handle = workflow.start_local_activity(
                PUBLISH,
                outgoing,
                activity_id=path,
                start_to_close_timeout=_PUBLISH_ATTEMPT,
                retry_policy=_PUBLISH_RETRY,
            )
            try:
                return await self._cancels.finish(handle)
            except FailureError:
                continue  # the worker stopped; another one publishes it again

    def _outgoing(self, command: Command, contract: CommandModel) -> Outgoing:
        undone = undone_by(command.message)
        return Outgoing(
            id=message_id(self._id, command.message),
            type=wire_type(command.name),
            topic=contract.topic,
            data=payload_to_send(command.arguments, self._codec),
            key=self._codec.key(command.arguments, command.name, contract.key),
            saga=self._saga.short,
            correlation=self._id,
            cause=self._cause,
            timeout=command.policy.timeout,
            jitter=command.policy.jitter * command.policy.initial,
            undoes=None if undone is None else message_id(self._id, undone),
            guard=guard_of(command.policy),
        )
