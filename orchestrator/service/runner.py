"""Runs a service: commands and events in, one transaction each, answers and events out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any, Self

import structlog

from dsl.model import Overflow, wire_type
from orchestrator.messaging.admission import Admission, Bounds, bounds_of
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.consumer import KeyedConsumer
from orchestrator.messaging.lanes import Handle
from orchestrator.messaging.observed import observed_bus, observed_handle
from orchestrator.messaging.outage import bus_away
from orchestrator.patience import outlast_unless
from orchestrator.service.calls import Calls
from orchestrator.service.commands import Commands
from orchestrator.service.depths import Depths
from orchestrator.service.errors import ServiceError
from orchestrator.service.events import Events
from orchestrator.service.handler import Handler
from orchestrator.service.health import Health
from orchestrator.service.process import Process
from orchestrator.service.reaction import Reaction, reaction_group
from orchestrator.service.readiness import Readiness, Stage
from orchestrator.service.relay import Relay
from orchestrator.service.retention import Keys, Retention
from orchestrator.service.service import Service
from orchestrator.service.topics import topics_of
from orchestrator.store.database import Database
from orchestrator.store.migrate import create_missing, migrate
from orchestrator.telemetry import metrics

log = structlog.get_logger(__name__)

#: Seconds that handlers get to end when a service stops.
DRAIN = 20.0

#: Records that a consumer holds where no policy says less.
_READ_AHEAD = 2_000

#: Seconds that a service which stops gives to its last events.
_FLUSH = 5.0


class ServiceRunner:
    """A running service. Enter it to prepare database and topics, then `run`."""

    def __init__(
        self,
        service: Service,
        bus: Bus,
        database_url: str,
        *,
        concurrency: int = 16,
        drain: float = DRAIN,
        health: Health | None = None,
    ) -> None:
        if not service.handlers and not service.reactions:
            raise ServiceError(f"service `{service.name}` has no handlers")
        self._service = service
        self._bus = bus = observed_bus(bus)
        self._database = Database(database_url, service.still.total_seconds())
        self._concurrency = concurrency
        bounds = bounds_of(service.model.policy)
        self.admission = Admission(service.name, bounds)
        self._ahead = _read_ahead(service, bounds, concurrency)
        self._drain = drain
        every: list[Handler | Reaction] = [*service.handlers.values(), *service.reactions.values()]
        for each in every:
            service.provisions.check(each.where, each.wants)
        self._provided = service.provisions.open()
        calls = Calls(service.middlewares, self._provided)
        self._process = Process(service, self._database, calls)
        self._relay = Relay(self._database, bus)
        self._readiness = Readiness(self._database, self._relay)
        if health is not None:
            health.watch(service.name, self._readiness.reasons)
        self._looks: list[Callable[[asyncio.Event], _Work]] = []

    async def __aenter__(self) -> Self:
        try:
            await migrate(self._database.engine, "participant")
            if self._service.metadata is not None:
                await create_missing(self._database.engine, self._service.metadata)
            await self._bus.create_topics(topics_of(self._service))
        except BaseException:
            await self._database.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self._provided.close()
        finally:
            await self._database.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Handles messages until `stop` is set. Then nothing more is fetched, handlers that run get
        `drain` seconds to end, what they left in the outbox is published (unless the bus is away:
        the next start does that), offsets are committed and the groups left. Cancelled, it ends
        without waiting: what is not committed comes again. Raises BusError."""
        service = self._service
        consumers = await self._consumers(stop)
        log.info("service started", service=service.name, topic=_read(service))
        self._readiness.stage = Stage.RUNNING
        ended = asyncio.Event()
        retention = Retention(
            *(self._database, service.remember),
            keys=_keys(service),
            events=reaction_group(service.name),
        )
        beside = [self._relay.run(ended), retention.run(ended)]
        beside += [look(ended) for look in self._looks]
        if meters := metrics.meters():
            group = reaction_group(service.name)
            beside.append(Depths(self._database, service.name, group, meters).run(ended))
        async with _beside(beside, ended) as failed, self._said_to_stop(stop):
            await _together([c.run(stop) for c in consumers], failed)
        await self._relay.flush(_FLUSH)
        log.info("service stopped", service=service.name)

    @asynccontextmanager
    async def _said_to_stop(self, stop: asyncio.Event) -> AsyncIterator[None]:
        """Who asks whether it is ready hears of the stop before it is over."""

        async def wait() -> None:
            await stop.wait()
            self._readiness.stage = Stage.STOPPING

        task = asyncio.create_task(wait())
        try:
            yield
        finally:
            task.cancel()
            self._readiness.stage = Stage.STOPPING

    async def _consumers(self, stop: asyncio.Event) -> list[KeyedConsumer]:
        """Those that joined their groups before `stop`."""
        service, found = self._service, list[KeyedConsumer | None]()
        if service.handlers:
            commands = Commands(*(service, self._bus, self._process, self._relay, self.admission))
            topics = [service.model.commands_topic.name]
            found.append(await self._consumer(topics, service.name, commands.handle, stop))
        if service.reactions:
            events = Events(
                *(service, self._bus, self._process, self._relay, self._database),
                admission=self.admission,
                stop=stop,
                drain=self._drain,
            )
            self._looks.append(events.parking.run)
            if events.retries is not None:
                self._looks.append(events.retries.run)
            if any(r.in_sequence for r in service.reactions.values()):
                self._looks.append(events.sequencer.run)
            topics = sorted({r.event.topic for r in service.reactions.values()})
            group = reaction_group(service.name)
            found.append(await self._consumer(topics, group, events.handle, stop))
        return [each for each in found if each is not None]

    async def _consumer(
        self, topics: list[str], group: str, handle: Handle, stop: asyncio.Event
    ) -> KeyedConsumer | None:
        """None when it is to stop before the bus, which went away meanwhile, is back."""
        join = partial(self._bus.reader, topics, group)
        reader = await outlast_unless(stop, join, bus_away(group, self._readiness.wait))
        self._readiness.wait(None)
        if reader is None:
            return None
        self._readiness.readers[group] = reader
        handle = observed_handle(handle, group)
        return KeyedConsumer(
            reader,
            handle,
            concurrency=self._concurrency,
            name=group,
            drain_limit=self._drain,
            idle=self.admission.waiting,
            max_in_flight=self._ahead,
        )


def _read_ahead(service: Service, bounds: Bounds, concurrency: int) -> int:
    """How many records are read before they can be handled; the others wait in the bus."""
    policy = service.model.policy
    if policy is None or not bounds or policy.overflow is not Overflow.BLOCK:
        return _READ_AHEAD
    return 2 * min(bounds.at_once or concurrency, concurrency)


_Work = Coroutine[Any, Any, None]


@asynccontextmanager
async def _beside(
    works: Sequence[_Work], ended: asyncio.Event
) -> AsyncIterator[asyncio.Future[None]]:
    """Runs works beside the block; they end when `ended` is set, at the block's end. What is given
    is done when one of them fails before that, with its error."""
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def look(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and not failed.done():
            failed.set_exception(error)

    tasks = [asyncio.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(look)
    try:
        yield failed
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        raise
    finally:
        ended.set()
        _, late = await asyncio.wait(tasks, timeout=_FLUSH)
        for task in late:
            # The relay, which waits for a bus that is away: what it had not published is kept.
            task.cancel()
        if late:
            await asyncio.wait(late)
        if not failed.cancel():
            failed.exception()


async def _together(works: Sequence[_Work], failed: asyncio.Future[None]) -> None:
    """All of them; the first that fails, or `failed`, ends the others, and its error is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    left: set[asyncio.Future[None]] = {*tasks}
    try:
        while left:
            done, _ = await asyncio.wait((*left, failed), return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
            left -= done
    finally:
        for task in tasks:
            task.cancel()
        # One error is raised; the others are looked at, or they would be logged as overlooked.
        await asyncio.gather(*tasks, return_exceptions=True)


def _read(service: Service) -> str:
    """What it reads, for the log."""
    commands = [service.model.commands_topic.name] if service.handlers else []
    return ",".join([*commands, *sorted({r.event.topic for r in service.reactions.values()})])


def _keys(service: Service) -> Keys:
    """A version needs no longer memory than the inbox has: after that, an old one is stale."""
    remember = {"message": None, "key": service.remember_keys, "version": service.remember}
    found = ((c.name, remember[c.idempotency.by]) for c in service.model.commands)
    return Keys(service.name, {wire_type(n): time for n, time in found if time is not None})
