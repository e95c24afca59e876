"""How a workflow calls the functions of its flow."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from dsl.model import ActivityModel
from dsl.types import NULL
from orchestrator.compile.plan import Plan
from orchestrator.messaging.codec import JsonCodec
from orchestrator.runtime.attempts import attempt_limit, explained, retry_policy
from orchestrator.runtime.cancels import Cancels
from orchestrator.runtime.effects import Command, CommandFailed, Reason
from orchestrator.runtime.outcomes import arguments_to_send
from orchestrator.runtime.wire import INVALID_RESULT, Invocation


class Invocations:
    """Calls one saga's functions."""

    def __init__(self, plan: Plan, codec: JsonCodec, cancels: Cancels) -> None:
        self._plan = plan
        self._codec = codec
        self._cancels = cancels
        #: Calls that a cancel came upon, by message: their outcome is asked for when they are
        #: undone.
        self._ended: dict[str, workflow.ActivityHandle[Any]] = {}

    async def call(self, command: Command) -> Any:
        """The function's result, after all the attempts of the policy. A cancel lets the attempt
        under way come to its end: nothing can stop a function, and its undo must not run beside
        it. Raises CommandFailed."""
        declared = self._plan.activities[command.name]
        given = self._given(declared, command)
        await self._cancels.take_effect()
        if before := self._ended.pop(command.message, None):
            with contextlib.suppress(ActivityError):
                return self._read(declared, await before)
        handle = workflow.start_activity(
            command.name,
            given,
            activity_id=command.message,
            start_to_close_timeout=attempt_limit(command.policy),
            retry_policy=retry_policy(command.policy),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        try:
            return self._read(declared, await self._cancels.end(handle))
        except asyncio.CancelledError:
            self._ended[command.message] = handle
            raise
        except ActivityError as error:
            failed = explained(error, command.policy)
            if isinstance(error.cause, ApplicationError) and error.cause.type == INVALID_RESULT:
                failed = CommandFailed(Reason.INVALID, error.cause.message)
            raise failed from None

    def _given(self, declared: ActivityModel, command: Command) -> Invocation:
        arguments = arguments_to_send(declared, command.arguments, self._codec)
        return Invocation(arguments, command.policy.jitter * command.policy.initial)

    def _read(self, declared: ActivityModel, result: Any) -> Any:
        wanted = declared.result if declared.result is not None else NULL
        return None if wanted is NULL else self._codec.from_wire(result, wanted)
