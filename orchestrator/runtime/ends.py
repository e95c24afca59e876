"""How many sagas start, end and park; each is counted by the worker that it does so on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, is_cancelled_exception
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from orchestrator.runtime.wire import NEEDS_ATTENTION
from orchestrator.telemetry import metrics


def metering() -> Sequence[Interceptor]:
    """What a worker counts with; nothing while no numbers are kept."""
    return [] if metrics.meters() is None else [_Metering()]


def count_park() -> None:
    """The present saga waits for a person's decision."""
    _count("parked")


class _Metering(Interceptor):
    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        """See `Interceptor`."""
        return _Counting


class _Counting(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        """See `WorkflowInboundInterceptor`. A run that goes on in another one has not ended."""
        if workflow.info().continued_run_id is None:
            _count("started")
        try:
            result = await super().execute_workflow(input)
        except workflow.ContinueAsNewError:
            raise
        except (Exception, asyncio.CancelledError) as error:
            _count(_end(error))
            raise
        _count("completed")
        return result


def _end(error: BaseException) -> str:
    if is_cancelled_exception(error):
        return "cancelled"
    given_up = isinstance(error, ApplicationError) and error.type == NEEDS_ATTENTION
    return "given_up" if given_up else "failed"


def _count(state: str) -> None:
    """Not in a replay, which only does again what was counted."""
    meters = metrics.meters()
    if meters is not None and not workflow.unsafe.is_replaying():
        meters.saga(workflow.info().workflow_type, state)
