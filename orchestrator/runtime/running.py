"""One running saga, as a person or a program talks to it: by the plan of the version it runs on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from dsl.types import Named
from orchestrator.compile.plan import QueryPlan, SagaPlan, SignalPlan, UpdatePlan
from orchestrator.compile.stored import read_plan
from orchestrator.messaging.codec import CodecError
from orchestrator.runtime.answers import readable
from orchestrator.runtime.history import Course
from orchestrator.runtime.instances import STATUS, UnknownInstanceError, version_of
from orchestrator.runtime.signature import InputError
from orchestrator.runtime.versions import Served
from orchestrator.runtime.views import RefusedError
from orchestrator.runtime.wire import Answer
from orchestrator.store import versions

#: How long a worker may take to answer.
_ANSWER = timedelta(seconds=20)


class UnknownInputError(Exception):
    """A saga has no such signal, query or update; one sentence."""


class UnansweredError(Exception):
    """No worker answers for a saga, or it cannot be talked to; one sentence."""


class Running:
    """An instance with the plan of its version."""

    def __init__(
        self, client: Client, id: str, status: str, served: Served, saga: SagaPlan
    ) -> None:
        self._handle = client.get_workflow_handle(id)
        self._id = id
        self._status = status
        self._served = served
        self._saga = saga

    async def signal(self, name: str, given: Any, id: str | None = None) -> None:
        """Sends a signal; with an id it counts once. Raises UnknownInputError, InputError,
        UnansweredError for a saga that has ended."""
        signal = _found(self._saga, "signal", name, self._saga.signals)
        payload = self._payload(signal, given)
        self._refuse_ended()
        await self._handle.signal(signal.name, args=[payload] if id is None else [payload, id])

    async def query(self, name: str) -> Any:
        """A query's answer, in wire form; a saga that has ended answers, too. Raises
        UnknownInputError, RefusedError, UnansweredError."""
        query = _found(self._saga, "query", name, self._saga.queries)
        try:
            return await self._handle.query(query.name, rpc_timeout=_ANSWER)
        except WorkflowQueryFailedError as error:
            raise RefusedError(error.message) from None
        except RPCError as error:
            raise self._unanswered(error) from None

    async def update(self, name: str, given: Any, id: str | None = None) -> None:
        """Makes an update; with an id it is made once. Raises UnknownInputError, InputError,
        RefusedError, UnansweredError."""
        update = _found(self._saga, "update", name, self._saga.updates)
        payload = self._payload(update, given)
        self._refuse_ended()
        try:
            await self._handle.execute_update(update.name, payload, id=id, rpc_timeout=_ANSWER)
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            text = cause.message if isinstance(cause, ApplicationError) else str(cause)
            raise RefusedError(text) from None
        except WorkflowUpdateRPCTimeoutOrCancelledError:
            raise self._silent() from None
        except RPCError as error:
            raise self._unanswered(error) from None

    def read(self, course: Course) -> None:
        """Reads those answers of its course that are no text. What cannot be read stays as it
        came."""
        for entry in course.encoded:
            answer = readable(Answer(entry.answer or "", **entry.data), self._served.payloads)
            if answer.invalid is None:
                entry.data = answer.data

    def _payload(self, input: SignalPlan | UpdatePlan, given: Any) -> Any:
        """The input in wire form, with its defaults."""
        codec, type = self._served.codec, Named(input.record)
        try:
            return codec.to_wire(codec.from_wire(given, type), type)
        except CodecError as error:
            raise InputError(f"input of `{input.name}`: {error}") from None

    def _refuse_ended(self) -> None:
        if self._status != "running":
            raise UnansweredError(f"`{self._id}` has ended already: {self._status}")

    def _unanswered(self, error: RPCError) -> Exception:
        if error.status in _SILENT:
            return self._silent()
        if error.status is RPCStatusCode.NOT_FOUND:
            return UnansweredError(f"`{self._id}` has ended already")
        if error.status is RPCStatusCode.RESOURCE_EXHAUSTED:
            return UnansweredError(
                f"too many questions wait for `{self._id}` already: its worker is away or busy; "
                "ask again in a moment"
            )
        return error

    def _silent(self) -> UnansweredError:
        return UnansweredError(
            f"no worker answers for `{self._id}`: start one with `orchestrate worker`"
        )


D = TypeVar("D", SignalPlan, QueryPlan, UpdatePlan)


def _found(saga: SagaPlan, word: str, name: str, declared: Iterable[D]) -> D:
    by_name = {d.name: d for d in declared}
    if name in by_name:
        return by_name[name]
    for other, names in (
        ("signal", [s.name for s in saga.signals]),
        ("query", [q.name for q in saga.queries]),
        ("update", [u.name for u in saga.updates]),
    ):
        if name in names:
            raise UnknownInputError(
                f"`{name}` of `{saga.short}` is no {word}: use `orchestrate {other}`"
            )
    close = get_close_matches(name, by_name, 1)
    known = ", ".join(f"`{n}`" for n in by_name) or "none"
    help = f"did you mean `{close[0]}`?" if close else f"it has {known}"
    raise UnknownInputError(f"`{saga.short}` has no {word} `{name}`; {help}")


#: What the server says when nobody asks it for work.
_SILENT = (
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.FAILED_PRECONDITION,
    RPCStatusCode.CANCELLED,  # our own limit, where the answer to it comes first
)


async def find_running(client: Client, session: AsyncSession, id: str) -> Running:
    """An instance by its id. Raises UnknownInstanceError, UnansweredError without its version."""
    described = await _describe(client, id)
    saga = described.workflow_type
    # A saga that another one called runs on that one's version.
    module = described.task_queue
    # One that no worker has looked at yet will run on the current version.
    version = version_of(described) or (await versions.current(session)).get(module)
    stored = await versions.find_version(session, module, version) if version else None
    if stored is None:
        if "." not in saga:
            raise UnknownInstanceError(id)
        raise UnansweredError(f"`{id}` runs on version {version} of `{module}`, not stored here")
    plan = read_plan(stored.plan)
    status = STATUS[described.status] if described.status else "unknown"
    return Running(client, id, status, Served(plan, stored.version), plan.saga(saga))


async def _describe(client: Client, id: str) -> WorkflowExecutionDescription:
    try:
        return await client.get_workflow_handle(id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise UnknownInstanceError(id) from None
        raise
