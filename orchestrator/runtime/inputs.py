"""A saga's inputs as Temporal knows them: a signal of the workflow for each `signal`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from temporalio import workflow

from dsl.model import wire_type
from orchestrator.compile.plan import SagaPlan, SignalPlan
from orchestrator.runtime.mailbox import Mailbox
from orchestrator.runtime.wire import Arrival


class Receiver(Protocol):
    """The workflow that has the inputs."""

    mailbox: Mailbox


def handlers(saga: SagaPlan) -> dict[str, Callable[..., Any]]:
    """The members that a workflow's class gets for the inputs of its saga."""
    return {f"signal_{s.name}": _signal(s) for s in saga.signals}


def _signal(signal: SignalPlan) -> Callable[..., Any]:
    async def receive(self: Receiver, payload: Any = None, id: str | None = None) -> None:
        # Without an id of its sender's it is told from all others, so that none is dropped.
        told = f"{signal.name}:{id}" if id else str(workflow.uuid4())
        self.mailbox.put(Arrival(told, wire_type(signal.record), payload))

    return workflow.signal(name=signal.name)(_member(receive, f"signal_{signal.name}"))


def _member(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function as Temporal wants those of a class: it refuses what looks local, and takes an
    annotated `self` for an input."""
    del function.__annotations__["self"]
    function.__qualname__ = f"SagaWorkflow.{name}"
    return function
