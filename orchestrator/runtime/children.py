"""How a workflow calls other sagas: as child workflows, which undo themselves."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
)

from dsl.types import NULL
from orchestrator.compile.plan import Plan, SagaPlan
from orchestrator.messaging.codec import JsonCodec
from orchestrator.runtime.cancels import Cancels
from orchestrator.runtime.effects import (
    Command,
    CommandFailed,
    Finished,
    Reason,
    SagaFailed,
    Untouched,
)
from orchestrator.runtime.evaluation import Expressions
from orchestrator.runtime.signature import InputError, key_of, wire_of
from orchestrator.runtime.wire import (
    CALLER,
    NEEDS_ATTENTION,
    RESULT,
    SAGA_FAILED,
    UNDOS,
    SagaInput,
    workflow_id,
)


class Children:
    """Calls sagas for one saga. They run on its version and its workers: the plan holds them."""

    def __init__(
        self,
        plan: Plan,
        codec: JsonCodec,
        expressions: Expressions,
        cancels: Cancels,
        events: int | None,
    ) -> None:
        self._plan = plan
        self._codec = codec
        self._expressions = expressions
        self._cancels = cancels
        self._events = events

    async def call(self, command: Command) -> Finished:
        """The saga's result, with what it would have to undo. A cancel is passed on to it, and it
        undoes itself before that goes on. Raises CommandFailed, and Untouched."""
        saga = self._plan.saga(command.name)
        id, wire = self._instance(saga, command)
        try:
            await self._cancels.take_effect()
        except asyncio.CancelledError:
            raise Untouched from None
        child = _Child(saga.name, id, SagaInput(wire, events=self._events), command.message)
        cancelled = await child.end()
        try:
            ended = child.result()
        except CommandFailed as failed:
            if cancelled:
                raise (asyncio.CancelledError if failed.outcome_unknown else Untouched) from failed
            raise
        if cancelled:
            self._cancels.keep()  # it had ended before it heard of that
        wanted = saga.result if saga.result is not None else NULL
        value = None if wanted is NULL else self._codec.from_wire(ended[RESULT], wanted)
        return Finished(value, ended[UNDOS])

    async def undo(self, command: Command, undos: Any) -> None:
        """Has a saga that has ended undo what it did, in a run of its own under its old id: the
        messages of that run then carry the ids that they would have had. Raises CommandFailed."""
        saga = self._plan.saga(command.name)
        id, wire = self._instance(saga, command)
        input = SagaInput(wire, events=self._events, undo=undos)
        child = _Child(saga.name, id, input, f"{command.message}:undo")
        await child.end()
        try:
            child.result()
        except CommandFailed as failed:
            raise CommandFailed(Reason.EXHAUSTED, f"`{id}` is not undone: {failed}") from None

    def _instance(self, saga: SagaPlan, command: Command) -> tuple[str, dict[str, Any]]:
        """Its id and its parameters in wire form. Raises SagaFailed for what cannot be them."""
        try:
            key = key_of(saga, command.arguments, self._expressions)
            return workflow_id(saga.short, key), wire_of(saga, command.arguments, self._codec)
        except InputError as error:
            raise SagaFailed(str(error)) from None


class _Child:
    """One run of a called saga."""

    def __init__(self, type: str, id: str, input: SagaInput, path: str) -> None:
        self._id = id
        self._undoing = input.undo is not None
        self._cancelled = False
        self._handle: workflow.ChildWorkflowHandle[Any, Any] | None = None
        self._work = asyncio.ensure_future(self._run(type, input, path))

    async def _run(self, type: str, input: SagaInput, path: str) -> Any:
        reuse = WorkflowIDReusePolicy
        self._handle = await workflow.start_child_workflow(
            type,
            input,
            id=self._id,
            id_reuse_policy=reuse.ALLOW_DUPLICATE if self._undoing else reuse.REJECT_DUPLICATE,
            cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            # A caller that is terminated leaves nothing half done.
            parent_close_policy=(
                workflow.ParentClosePolicy.ABANDON
                if self._undoing
                else workflow.ParentClosePolicy.REQUEST_CANCEL
            ),
            memo={CALLER: {"id": workflow.info().workflow_id, "step": path}},
        )
        if self._cancelled:
            self._handle.cancel()
        return await self._handle

    async def end(self) -> bool:
        """Waits for its end, and passes cancels on; whether one came."""
        while not self._work.done():
            try:
                await asyncio.shield(self._work)
            except asyncio.CancelledError:
                if self._handle and not self._cancelled:
                    self._handle.cancel()
                self._cancelled = True
            except Exception:
                break
        return self._cancelled

    def result(self) -> Any:
        """What it returned. Raises CommandFailed."""
        try:
            return self._work.result()
        except WorkflowAlreadyStartedError:
            text = f"`{self._id}` was started before, and a key has one saga"
            raise CommandFailed(Reason.FAILED, text) from None
        except ChildWorkflowError as error:
            raise _explained(self._id, error.cause) from None


def _explained(id: str, cause: BaseException | None) -> CommandFailed:
    """A saga that failed or was cancelled has undone itself; of one that was ended by force nobody
    knows how far it came."""
    match cause:
        case ApplicationError(type=kind, message=message) if kind in (SAGA_FAILED, NEEDS_ATTENTION):
            return CommandFailed(Reason.FAILED, message)
        case CancelledError():
            return CommandFailed(Reason.FAILED, f"`{id}` was cancelled")
    return CommandFailed(Reason.BROKEN, f"`{id}` was ended by force: {cause}")
