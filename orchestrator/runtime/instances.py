"""The sagas that ran and run: listed, looked at, cancelled, resolved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHistory,
)
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.service import RPCError, RPCStatusCode

from orchestrator.runtime.history import Course, read_course, run_before
from orchestrator.runtime.wire import (
    ATTENTION,
    CALLER,
    CHAIN,
    OCCURRENCE,
    RESOLVE,
    RESULT,
    UNDONE,
    UNDOS,
    Resolution,
)

#: What people call how an instance stands.
STATUS = {
    WorkflowExecutionStatus.RUNNING: "running",
    WorkflowExecutionStatus.COMPLETED: "completed",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.TERMINATED: "terminated",
    WorkflowExecutionStatus.CONTINUED_AS_NEW: "continued",
    WorkflowExecutionStatus.TIMED_OUT: "timed out",
}
#: As Temporal's list filter spells them.
_FILTER = {
    "running": "Running",
    "completed": "Completed",
    "failed": "Failed",
    "cancelled": "Canceled",
    "undone": "Completed",
}


_LAST_RUNS = 'ExecutionStatus != "ContinuedAsNew"'


class UnknownInstanceError(Exception):
    """No saga has this id; one sentence."""

    def __init__(self, id: str) -> None:
        super().__init__(f"there is no saga `{id}`: `orchestrate list` shows those there are")


@dataclass(frozen=True, slots=True)
class Instance:
    """One saga's instance, with all its `runs`: a long one goes on from run to run. `seconds` is
    how long it took, None while it runs; `attention` says what a person has to decide; `caller` is
    the id of the saga that called it."""

    id: str
    saga: str
    status: str
    started: datetime
    seconds: float | None
    version: str | None = None
    attention: str | None = None
    runs: int = 1
    caller: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a saga ended: its result (wire form) or the reason it failed for."""

    status: str
    result: Any = None
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Detail:
    """All there is to see of an instance; `outcome` is None while it runs."""

    instance: Instance
    course: Course
    outcome: Outcome | None


class Instances:
    """The instances in Temporal."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list(
        self, saga: str | None, status: str | None, attention: bool, limit: int
    ) -> list[Instance]:
        """Newest first. `saga` is a short or qualified name. A scheduled time is among them only
        when it failed to start its saga. Raises RPCError."""
        # Of the runs of a saga the last one stands for it, that which undid it included.
        seen: set[str] = set()
        query = f'ExecutionStatus = "{_FILTER[status]}"' if status else _LAST_RUNS
        query = f'({query}) AND (WorkflowType != "{OCCURRENCE}" OR ExecutionStatus = "Failed")'
        found: list[Instance] = []
        async for execution in self._matching(query, saga):
            if execution.id in seen:
                continue
            seen.add(execution.id)
            instance = await _instance(execution)
            if (attention and not instance.attention) or (status and instance.status != status):
                continue
            found.append(instance)
            if len(found) == limit:
                break
        return found

    async def _matching(self, query: str, saga: str | None) -> AsyncIterator[WorkflowExecution]:
        async for execution in self._client.list_workflows(query):
            type = execution.workflow_type
            if saga is None or saga in (type, type.rpartition(".")[2]):
                yield execution

    async def show(self, id: str) -> Detail:
        """One instance with its course. Raises UnknownInstanceError."""
        description = await self._describe(id)
        runs = await _histories(self._client, id, description.run_id)
        course = read_course(runs, self._client.data_converter)
        for pending in description.raw_description.pending_activities:
            course.pending(pending.activity_id, pending.attempt)
        running = description.status is WorkflowExecutionStatus.RUNNING
        outcome = None if running else await self.outcome(id)
        return Detail(await _instance(description), course, outcome)

    async def outcome(self, id: str) -> Outcome:
        """Waits for the end of an instance. Raises UnknownInstanceError."""
        try:
            result = await self._client.get_workflow_handle(id).result()
            return _completed(result)
        except WorkflowFailureError as error:
            return _failed(error)
        except RPCError as error:
            raise _unknown(error, id) from None

    async def cancel(self, id: str) -> str | None:
        """Asks an instance to undo what it did; returns its status when it has ended already.
        Raises UnknownInstanceError."""
        description = await self._describe(id)
        if description.status is not WorkflowExecutionStatus.RUNNING:
            return STATUS[description.status] if description.status else "ended"
        await self._client.get_workflow_handle(id).cancel()
        return None

    async def resolve(self, id: str, decision: str, at: str | None = None) -> str | None:
        """Settles what an instance needs attention for and returns its path; None when it needs
        none, or not `at` that path. Raises UnknownInstanceError."""
        description = await self._describe(id)
        memo = await description.memo_value(ATTENTION, None)
        if memo is None or description.status is not WorkflowExecutionStatus.RUNNING:
            return None
        path: str = memo["path"]
        if at is not None and path != at:
            return None
        handle = self._client.get_workflow_handle(id)
        await handle.signal(RESOLVE, Resolution(path, decision))
        return path

    async def _describe(self, id: str) -> WorkflowExecutionDescription:
        try:
            return await self._client.get_workflow_handle(id).describe()
        except RPCError as error:
            raise _unknown(error, id) from None


async def _histories(client: Client, id: str, run: str | None) -> list[WorkflowHistory]:
    """Those of an instance's runs up to this one, the first one first; Temporal may have forgotten
    the earliest."""
    found: list[WorkflowHistory] = []
    while run:
        try:
            history = await client.get_workflow_handle(id, run_id=run).fetch_history()
        except RPCError as error:
            if not found or error.status is not RPCStatusCode.NOT_FOUND:
                raise
            break
        found.insert(0, history)
        run = run_before(history)
    return found


async def _instance(execution: WorkflowExecution) -> Instance:
    memo = await execution.memo_value(ATTENTION, None)
    chain = await execution.memo_value(CHAIN, None)
    caller = await execution.memo_value(CALLER, None)
    began = datetime.fromisoformat(chain["began"]) if chain else execution.start_time
    end = execution.close_time
    return Instance(
        id=execution.id,
        saga=execution.workflow_type,
        status=_status(execution, caller),
        started=began.astimezone(UTC),
        seconds=(end - began).total_seconds() if end else None,
        version=version_of(execution),
        attention=f"{memo['path']}: {memo['reason']}" if memo else None,
        runs=chain["runs"] if chain else 1,
        caller=caller["id"] if caller else None,
    )


def _status(execution: WorkflowExecution, caller: dict[str, Any] | None) -> str:
    """How an instance stands; the run that undid a called saga completes when it is undone."""
    status = STATUS[execution.status] if execution.status else "unknown"
    undid = caller is not None and caller["step"].endswith(":undo")
    return "undone" if undid and status == "completed" else status


def version_of(execution: WorkflowExecution) -> str | None:
    """The version that an instance runs on; None before a worker has looked at it."""
    info = execution.raw_info.versioning_info
    build: str = info.deployment_version.build_id
    return build or None


def _completed(result: Any) -> Outcome:
    """What a saga returned; for the saga that called it there stands more beside."""
    if isinstance(result, dict) and UNDONE in result:
        return Outcome("undone", reason=result[UNDONE])
    if isinstance(result, dict) and result.keys() == {RESULT, UNDOS}:
        return Outcome("completed", result[RESULT])
    return Outcome("completed", result)


def _failed(error: WorkflowFailureError) -> Outcome:
    cause = error.cause
    if isinstance(cause, CancelledError):
        return Outcome("cancelled", reason="cancelled, and what it did undone")
    if isinstance(cause, ApplicationError):
        return Outcome("failed", reason=cause.message)
    return Outcome("failed", reason=str(cause))


def _unknown(error: RPCError, id: str) -> Exception:
    return UnknownInstanceError(id) if error.status is RPCStatusCode.NOT_FOUND else error
