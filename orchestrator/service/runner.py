"""Runs a service: commands in, one transaction each, answers and events out."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog

from dsl.model import TopicModel, wire_type
from orchestrator import failpoint
from orchestrator.messaging.bus import Bus, BusError, UndeliverableError
from orchestrator.messaging.codec import DecodeError
from orchestrator.messaging.consumer import KeyedConsumer
from orchestrator.messaging.deadletter import Disposition, dead_letter, dead_letter_topic
from orchestrator.messaging.envelope import Envelope, EnvelopeError, from_record
from orchestrator.messaging.record import Record
from orchestrator.service.errors import ServiceError
from orchestrator.service.handler import Handler
from orchestrator.service.process import Process, Processed
from orchestrator.service.relay import Relay
from orchestrator.service.retention import Keys, Retention
from orchestrator.store.database import Database
from orchestrator.store.errors import ConflictError
from orchestrator.store.migrate import create_missing, migrate

if TYPE_CHECKING:
    from orchestrator.service.service import Service

log = structlog.get_logger(__name__)

_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0

#: Seconds that a service which stops gives to its last events.
_FLUSH = 5.0


class ServiceRunner:
    """A running service. Enter it to prepare database and topics, then `run`.

    A record's offset is committed when its answer was acknowledged by the bus, or it is in the
    dead letters, or its handler broke: then nothing is recorded and no answer sent, and the saga's
    retry brings it again under the same id.
    """

    def __init__(
        self, service: Service, bus: Bus, database_url: str, *, concurrency: int = 16
    ) -> None:
        if not service.handlers:
            raise ServiceError(f"service `{service.name}` has no handlers")
        self._service = service
        self._bus = bus
        self._database = Database(database_url)
        self._concurrency = concurrency
        self._process = Process(service, self._database)
        self._relay = Relay(self._database, bus)
        self._handlers = {wire_type(name): h for name, h in service.handlers.items()}
        self._commands = service.model.commands_topic
        self._dead_letters = dead_letter_topic(self._commands.name, service.name)

    async def __aenter__(self) -> Self:
        try:
            await migrate(self._database.engine, "participant")
            if self._service.metadata is not None:
                await create_missing(self._database.engine, self._service.metadata)
            # As many partitions as the source, so that a key keeps its partition.
            letters = TopicModel(name=self._dead_letters, partitions=self._commands.partitions)
            events = self._service.model.events_topic
            await self._bus.create_topics([self._commands, events, letters])
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
        await self._database.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Handles commands until `stop` is set; what they left in the outbox is published before
        this returns, unless the bus is away: then the next start does that. Raises BusError."""
        name = self._service.name
        reader = await self._bus.reader([self._commands.name], name)
        consumer = KeyedConsumer(reader, self.handle, concurrency=self._concurrency, name=name)
        log.info("service started", service=name, topic=self._commands.name)
        ended = asyncio.Event()
        retention = Retention(self._database, self._service.remember, keys=_keys(self._service))
        beside = asyncio.gather(self._relay.run(ended), retention.run(ended))
        try:
            await consumer.run(stop)
        finally:
            ended.set()
            await beside
            await self._relay.flush(_FLUSH)
        log.info("service stopped", service=name)

    async def handle(self, record: Record) -> None:
        """One record, to its end: answered, ignored, dead-lettered or left to the saga's retry."""
        try:
            envelope = from_record(record)
        except EnvelopeError as error:
            await self._give_up(record, error, Disposition.POISON)
            return
        handler = self._handlers.get(envelope.type)
        if handler is None:
            log.warning(
                "message ignored: no handler",
                service=self._service.name,
                type=envelope.type,
                message_id=envelope.id,
            )
            return
        try:
            processed = await self._process(handler, envelope)
        except DecodeError as error:
            await self._give_up(record, error, Disposition.POISON)
        except ConflictError as error:
            await self._give_up(record, error, Disposition.REJECTED)
        except Exception as error:
            self._broken(handler, envelope, error)
        else:
            await self._send(envelope, processed)

    def _broken(self, handler: Handler, envelope: Envelope, error: Exception) -> None:
        log.error(
            "handler failed, no answer sent",
            service=self._service.name,
            command=wire_type(handler.command.name),
            message_id=envelope.id,
            error=type(error).__name__,
            exc_info=error,
        )

    async def _send(self, command: Envelope, processed: Processed) -> None:
        if processed.events:
            self._relay.wake()
        record = processed.answer.to_record(command)
        if record is not None:
            failpoint.reach("answer.before-publish")
            await self._publish(record, command.id)
            failpoint.reach("answer.after-publish")

    async def _give_up(self, record: Record, error: Exception, why: Disposition) -> None:
        log.warning(
            "message dead-lettered",
            service=self._service.name,
            place=record.place,
            disposition=why.value,
            error=type(error).__name__,
        )
        letter = dead_letter(record, self._dead_letters, error, why, self._service.name)
        failpoint.reach("rejected.before-publish")
        await self._publish(letter, record.place)
        failpoint.reach("rejected.after-publish")

    async def _publish(self, record: Record, message_id: str) -> None:
        """Until it is acknowledged: the offset must not be committed before."""
        wait = _FIRST_WAIT
        while True:
            try:
                await self._bus.publish(record)
                return
            except UndeliverableError as error:
                # A reply to nowhere: its answer is recorded, and the saga may ask again.
                log.error("message cannot be sent", message_id=message_id, error=str(error))
                return
            except BusError as error:
                log.warning("sending again", message_id=message_id, error=str(error))
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)


def _keys(service: Service) -> Keys:
    """A version needs no longer memory than the inbox has: after that, an old one is stale."""
    remember = {"message": None, "key": service.remember_keys, "version": service.remember}
    found = ((c.name, remember[c.idempotency.by]) for c in service.model.commands)
    return Keys(service.name, {wire_type(n): time for n, time in found if time is not None})
