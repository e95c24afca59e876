"""Starts by the clock: a schedule of Temporal runs a small workflow, which starts the saga.

Temporal gives what it schedules an id of its own making; a saga's is `<Saga>/<key>`. So what is
scheduled is this workflow: it reads the scheduled time and has an activity start the saga as an
event would, by the arguments and the key of the version that is current.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, VersioningBehavior
from temporalio.exceptions import ActivityError, ApplicationError

from dsl.cel.errors import CelError
from dsl.cel.evaluate import CLOCK
from orchestrator.runtime.signature import InputError
from orchestrator.runtime.starts import AlreadyStartedError, start_saga
from orchestrator.runtime.versions import Served
from orchestrator.runtime.wire import OCCURRENCE, START_SCHEDULED, Occurrence

log = structlog.get_logger(__name__)

_SCHEDULED = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")

#: One attempt to start a saga; there is no end of attempts.
_ATTEMPT = timedelta(seconds=10)

#: The name of the scheduled time in the arguments of a start.
_TIME = "at"


@workflow.defn(name=OCCURRENCE, sandboxed=False, versioning_behavior=VersioningBehavior.PINNED)
class OccurrenceWorkflow:
    """One scheduled time of one saga."""

    @workflow.run
    async def run(self, occurrence: Occurrence) -> None:
        """Starts the saga of this time; fails with the reason when there is no saga for it."""
        info = workflow.info()
        at = info.typed_search_attributes.get(_SCHEDULED) or info.start_time
        occurrence.at = at.astimezone(UTC).isoformat()
        try:
            await workflow.execute_local_activity(
                START_SCHEDULED, occurrence, start_to_close_timeout=_ATTEMPT
            )
        except ActivityError as failed:
            if isinstance(failed.cause, ApplicationError):
                raise failed.cause from None
            raise


class Occurrences:
    """The activity of one version."""

    def __init__(self, client: Client, served: Served) -> None:
        self._client = client
        self._served = served

    def all(self) -> list[Callable[..., Any]]:
        """What a worker registers."""
        return [self.start]

    @activity.defn(name=START_SCHEDULED)
    async def start(self, occurrence: Occurrence) -> None:
        """Starts the saga with the arguments of this time; one that ran under its key before is
        left alone, and so is a schedule that this version does not have any more."""
        saga = self._served.plan.sagas.get(occurrence.saga)
        if saga is None or occurrence.schedule >= len(saga.schedules):
            return
        assert occurrence.at, "the workflow knows the time"
        at = datetime.fromisoformat(occurrence.at)
        env = {_TIME: at, CLOCK: lambda: at}
        evaluate = self._served.expressions.evaluate
        given = saga.schedules[occurrence.schedule].arguments
        try:
            parameters = {name: evaluate(node, env) for name, node in given.items()}
            await start_saga(self._client, self._served, saga, parameters)
        except AlreadyStartedError as known:
            log.info("scheduled before", saga=known.id, at=occurrence.at)
        except (CelError, InputError) as error:
            raise ApplicationError(str(error), non_retryable=True) from None
