"""Commands in, answers out."""

from __future__ import annotations

import structlog

from dsl.model import wire_type
from orchestrator import failpoint
from orchestrator.messaging.admission import Admission
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.codec import DecodeError
from orchestrator.messaging.deadletter import Disposition
from orchestrator.messaging.envelope import Envelope, EnvelopeError, from_record
from orchestrator.messaging.record import Record
from orchestrator.service.about import about
from orchestrator.service.handler import Handler
from orchestrator.service.post import Post
from orchestrator.service.process import Process, Processed
from orchestrator.service.relay import Relay
from orchestrator.service.service import Service
from orchestrator.store.errors import ConflictError
from orchestrator.telemetry import metrics, traces

log = structlog.get_logger(__name__)


class Commands:
    """What a service does with a record of its commands' topic.

    Its offset is committed when its answer was acknowledged by the bus, or it is in the dead
    letters, or its handler broke: then nothing is recorded and no answer sent, and the saga's retry
    brings it again under the same id.
    """

    def __init__(
        self, service: Service, bus: Bus, process: Process, relay: Relay, admission: Admission
    ) -> None:
        self._service = service.name
        self._process = process
        self._relay = relay
        self._post = Post(bus, service.name)
        self._admission = admission
        self._handlers = {wire_type(name): h for name, h in service.handlers.items()}

    async def handle(self, record: Record) -> None:
        """One record, to its end: answered, ignored, dead-lettered or left to the saga's retry."""
        try:
            envelope = from_record(record)
        except EnvelopeError as error:
            await self._post.give_up(record, error, Disposition.POISON)
            return
        handler = self._handlers.get(envelope.type)
        if handler is None:
            log.warning(
                "message ignored: no handler",
                service=self._service,
                type=envelope.type,
                message_id=envelope.id,
            )
            return
        with about(envelope):
            await self._take(handler, envelope, record)

    async def _take(self, handler: Handler, envelope: Envelope, record: Record) -> None:
        process = self._process.at_most_once if handler.at_most_once else self._process
        async with self._admission.attempt() as attempt:
            try:
                processed = await process(handler, envelope)
            except DecodeError as error:
                attempt.dropped()
                await self._post.give_up(record, error, Disposition.POISON)
            except ConflictError as error:
                attempt.dropped()
                await self._post.give_up(record, error, Disposition.REJECTED)
            except Exception as error:
                attempt.failed()
                self._broken(handler, envelope, error)
            else:
                await self._send(envelope, processed)

    def _broken(self, handler: Handler, envelope: Envelope, error: Exception) -> None:
        traces.failed(error)
        if meters := metrics.meters():
            meters.failed(self._service, handler.command.topic, error)
        log.error(
            "handler failed, no answer sent",
            service=self._service,
            command=wire_type(handler.name),
            message_id=envelope.id,
            error=type(error).__name__,
            exc_info=error,
        )

    async def _send(self, command: Envelope, processed: Processed) -> None:
        if processed.events:
            self._relay.wake()
        self._post.let_go(processed.once)
        if processed.answer is None:
            log.warning(
                "command passed over: it was undone, or begun before and is delivered at most once",
                service=self._service,
                type=command.type,
                message_id=command.id,
            )
        record = processed.answer.to_record(command) if processed.answer else None
        if record is not None:
            failpoint.reach("answer.before-publish")
            await self._post.publish(record, command.id)
            failpoint.reach("answer.after-publish")
