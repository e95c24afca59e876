"""Events that came before their saga did: it asks for them when it first waits for an event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from itertools import accumulate
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from orchestrator import failpoint
from orchestrator.runtime.cancels import Cancels
from orchestrator.runtime.mailbox import Mailbox
from orchestrator.runtime.wire import CLAIM, Arrival, Claimed
from orchestrator.store import unclaimed
from orchestrator.store.database import Database

#: One attempt; a store that is away is asked again without end, for no event is ever dropped.
_ATTEMPT = timedelta(seconds=5)
_RETRY = RetryPolicy(maximum_interval=timedelta(seconds=30))

#: So many events, whose texts have about so many characters, make one answer: Temporal refuses
#: more than 2 MB.
_EVENTS, _CHARACTERS = 100, 500_000


class Claims:
    """One saga's question."""

    def __init__(self, cancels: Cancels) -> None:
        self._cancels = cancels
        self._turn = asyncio.Lock()

    async def into(self, mailbox: Mailbox) -> None:
        """Completes the saga's mailbox with what is kept for it, before what came since."""
        async with self._turn:
            if mailbox.complete:
                return
            found: list[Arrival] = []
            after: int | None = 0
            while after is not None:
                claimed = await self._claim(after)
                found += claimed.events
                after = claimed.more_after
            mailbox.complete_with(found)

    async def _claim(self, after: int) -> Claimed:
        handle = workflow.start_local_activity(
            CLAIM,
            after,
            result_type=Claimed,
            start_to_close_timeout=_ATTEMPT,
            retry_policy=_RETRY,
        )
        return await self._cancels.finish(handle)


class ClaimActivity:
    """Answers it, from the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """What a worker registers."""
        return [self.claim]

    @activity.defn(name=CLAIM)
    async def claim(self, after: int) -> Claimed:
        """What is kept for the saga that asks, behind a position. Raises StoreError."""
        async with self._database.transaction() as session:
            found = await unclaimed.claim(session, str(activity.info().workflow_id), after, _EVENTS)
            failpoint.reach("claim.before-commit")
        failpoint.reach("claim.after-commit")
        sizes = accumulate(len(json.dumps(e.data)) for e in found)
        fit = max(sum(size <= _CHARACTERS for size in sizes), 1)
        more = len(found) == _EVENTS or fit < len(found)
        events = [Arrival(e.event_id, e.type, e.data) for e in found[:fit]]
        return Claimed(events, found[:fit][-1].position if more else None)
