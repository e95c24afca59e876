"""What an event does: it starts sagas, once for each key, and reaches those that wait for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from dsl.model import Delivery
from dsl.values import Struct
from orchestrator import failpoint
from orchestrator.messaging.envelope import Envelope
from orchestrator.patience import outlast
from orchestrator.runtime.starts import AlreadyStartedError, start_saga
from orchestrator.runtime.versions import Served, Start, newest
from orchestrator.runtime.wire import EVENT, Arrival, workflow_id
from orchestrator.store import unclaimed
from orchestrator.store.database import Database
from orchestrator.store.outage import OUTAGES
from orchestrator.telemetry import metrics

log = structlog.get_logger(__name__)


class DroppedError(Exception):
    """What an event needs is away, and it is delivered at most once: it waits for nobody."""


class Arrivals:
    """Hands events to sagas. `current` are the versions that new ones get, `running` all that may
    have sagas waiting; `counts` tells what became of them."""

    def __init__(
        self,
        client: Client,
        current: Sequence[Served],
        running: Sequence[Served],
        database: Database,
        events_per_run: int | None,
    ) -> None:
        self._client = client
        self._current = current
        self._running = running
        self._database = database
        self._events_per_run = events_per_run
        self.counts: Counter[str] = Counter()
        if meters := metrics.meters():
            meters.outcomes("events", self.counts)

    async def take(self, envelope: Envelope) -> None:
        """Hands on an event, as often as it comes. Raises DecodeError, InputError, CelError for
        one that no saga can be started with, RPCError for what will never be allowed, and
        DroppedError."""
        for served in self._current:
            for start in served.starts.get(envelope.type, ()):
                await self._start(served, start, envelope)
        await self._deliver(envelope)

    async def _start(self, served: Served, start: Start, envelope: Envelope) -> None:
        payload: Struct = served.codec.from_wire(*served.read(envelope))
        parameters = {
            name: served.expressions.evaluate(node, {start.start.name: payload})
            for name, node in start.start.arguments.items()
        }
        failpoint.reach("start.before-start")
        try:
            await self._patiently(
                partial(
                    start_saga,
                    self._client,
                    served,
                    start.saga,
                    parameters,
                    cause=envelope.id,
                    events=self._events_per_run,
                ),
                envelope,
            )
            failpoint.reach("start.after-start")
            self.counts["started"] += 1
        except AlreadyStartedError:
            self.counts["repeated"] += 1

    async def _deliver(self, envelope: Envelope) -> None:
        """Signals the instances of the event's key. What a saga that is not there may wait for once
        it is, and what comes too late, is kept in the store."""
        sagas = {s for served in self._running for s in served.awaits.get(envelope.type, ())}
        if not sagas:
            return
        # The newest version's reading of it; a saga of an older one decodes it for itself.
        served = next(s for s in reversed(self._running) if envelope.type in s.awaits)
        wire, type = served.read(envelope)
        payload: Struct = served.codec.from_wire(wire, type)
        key = payload[served.contract(envelope.type).key]
        arrival = Arrival(envelope.id, envelope.type, wire)
        for saga in sorted(sagas):
            id = workflow_id(saga, key)
            if await self._signal(id, arrival, envelope):
                self.counts["delivered"] += 1
                continue
            await self._patiently(partial(self._keep, id, arrival), envelope)
            # A saga that began before this was kept may have asked the store too early.
            if await self._signal(id, arrival, envelope):
                await self._patiently(partial(self._delivered, id, arrival), envelope)
                self.counts["delivered"] += 1
                continue
            self.counts["unclaimed"] += 1
            log.info("no saga takes this event", saga=id, type=envelope.type)

    async def _signal(self, id: str, arrival: Arrival, envelope: Envelope) -> bool:
        """Whether the saga runs. Raises RPCError."""
        handle = self._client.get_workflow_handle(id)
        failpoint.reach("arrival.before-signal")
        try:
            await self._patiently(partial(handle.signal, EVENT, arrival), envelope)
            failpoint.reach("arrival.after-signal")
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True

    async def _keep(self, id: str, arrival: Arrival) -> None:
        async with self._database.transaction() as session:
            await unclaimed.keep(session, id, arrival.id, arrival.type, arrival.data)
            failpoint.reach("unclaimed.before-keep")
        failpoint.reach("unclaimed.after-keep")

    async def _delivered(self, id: str, arrival: Arrival) -> None:
        async with self._database.transaction() as session:
            await unclaimed.delivered(session, id, arrival.id)

    async def _patiently(self, call: Callable[[], Awaitable[object]], envelope: Envelope) -> None:
        """Waits out a Temporal server, or a store, that is away or lets nobody in; the partition's
        offset stays where it is. Raises RPCError for what this event will never be allowed, and
        DroppedError for one that is delivered at most once."""
        await outlast(call, partial(self._bear, envelope))

    def _bear(self, envelope: Envelope, error: Exception) -> None:
        if isinstance(error, RPCError) and error.status not in _FINAL:
            on, why = "Temporal", error.message
        elif isinstance(error, OUTAGES):
            on, why = "the store", type(error).__name__
        else:
            raise error
        if self._is_once(envelope):
            raise DroppedError from error
        log.warning(f"event waits for {on}", error=why)

    def _is_once(self, envelope: Envelope) -> bool:
        """Whether an event is tried once, and dropped when that fails."""
        served = newest(self._running, envelope.type)
        return (
            served is not None and served.contract(envelope.type).delivery is Delivery.AT_MOST_ONCE
        )


#: Refusals of this one call; after any other error it may succeed later.
_FINAL = frozenset(
    (
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.ALREADY_EXISTS,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.OUT_OF_RANGE,
    )
)
