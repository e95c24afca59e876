"""A saga's inputs as Temporal knows them: a signal, query or update of the workflow for each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from dsl.model import wire_type
from orchestrator.compile.plan import QueryPlan, SagaPlan, SignalPlan, UpdatePlan
from orchestrator.runtime.mailbox import Mailbox
from orchestrator.runtime.views import RefusedError, Views
from orchestrator.runtime.wire import REFUSED, Arrival


class Receiver(Protocol):
    """The workflow that has the inputs; `views` is None until its saga has begun."""

    mailbox: Mailbox
    views: Views | None

    def now(self) -> datetime:
        """The saga's clock."""


def handlers(saga: SagaPlan) -> dict[str, Any]:
    """The members that a workflow's class gets for the inputs of its saga."""
    return {
        **{f"signal_{s.name}": _signal(s) for s in saga.signals},
        **{f"query_{q.name}": _query(q) for q in saga.queries},
        **{f"update_{u.name}": _update(u) for u in saga.updates},
    }


def _signal(signal: SignalPlan) -> Any:
    def receive(self: Receiver, payload: Any = None, id: str | None = None) -> None:
        told = f"{signal.name}:{id}" if id else ""
        self.mailbox.put(Arrival(told, wire_type(signal.record), payload))

    return workflow.signal(name=signal.name)(_member(receive))


def _query(query: QueryPlan) -> Any:
    def answer(self: Receiver) -> Any:
        return _begun(self, query.name).answer(query, workflow.now)

    return workflow.query(name=query.name)(_member(answer))


def _update(update: UpdatePlan) -> Any:
    async def change(self: Receiver, payload: Any = None) -> None:
        if self.views is None:
            # It came together with the start, or with that of a later run.
            await workflow.wait_condition(lambda: self.views is not None)
        if self.mailbox.knows(told := _told(update)):
            return
        try:
            _begun(self, update.name).change(update, payload, self.now)
        except RefusedError as refused:
            raise _refusal(refused) from None
        self.mailbox.know(told)

    def judge(self: Receiver, payload: Any = None) -> None:
        if self.views is None or self.mailbox.knows(_told(update)):
            return
        try:
            self.views.judge(update, payload, workflow.now)
        except RefusedError as refused:
            raise _refusal(refused) from None

    made = workflow.update(name=update.name)(_member(change))
    made.validator(_member(judge))
    return made


def _told(update: UpdatePlan) -> str:
    """What an update is known by in later runs of its saga: Temporal knows its id in this one. No
    signal's begins like this."""
    info = workflow.current_update_info()
    assert info, "an update is under way"
    return f"update {update.name}:{info.id}"


def _begun(self: Receiver, name: str) -> Views:
    if self.views is None:
        raise RefusedError(f"`{name}` comes too early: the saga has not begun yet")
    return self.views


def _refusal(refused: RefusedError) -> ApplicationError:
    return ApplicationError(str(refused), type=REFUSED, non_retryable=True)


def _member(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function as Temporal wants those of a class: it refuses what looks local, and takes an
    annotated `self` for an input."""
    del function.__annotations__["self"]
    function.__qualname__ = f"SagaWorkflow.{function.__name__}"
    return function
