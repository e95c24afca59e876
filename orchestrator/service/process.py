"""One command, one transaction: inbox, handler, answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dsl.model import wire_type
from dsl.types import Named
from orchestrator.messaging.codec import EncodeError
from orchestrator.messaging.envelope import Envelope
from orchestrator.service.context import Context
from orchestrator.service.contract import simple
from orchestrator.service.errors import ServiceError
from orchestrator.service.failure import Failure
from orchestrator.service.handler import Handler
from orchestrator.service.message import Message
from orchestrator.service.models import to_value
from orchestrator.service.outgoing import Outgoing
from orchestrator.store import inbox
from orchestrator.store.database import Database

if TYPE_CHECKING:
    from orchestrator.service.service import Service


class Process:
    """Turns a command into the messages that answer it, once."""

    def __init__(self, service: Service, database: Database) -> None:
        self._service = service
        self._database = database
        self._event_topics = {e.name: e.topic for e in service.model.events}

    async def __call__(self, handler: Handler, envelope: Envelope) -> list[Outgoing]:
        """The messages to send: new ones, or the recorded ones of a command that is known. Raises
        DecodeError, ConflictError (known id, another body), StoreError, ServiceError, and what the
        handler raises; nothing is recorded then."""
        service = self._service
        wire = service.payloads.read(envelope.data, envelope.content_type, envelope.type)
        value = service.codec.from_wire(wire, Named(handler.command.name))
        body = envelope.type.encode() + b"\n" + envelope.data
        async with self._database.transaction() as session:
            done = await inbox.claim(session, service.name, envelope.id, body)
            if done is not None:
                return [Outgoing.from_json(m) for m in done.answer]
            context = self._context(handler, envelope)
            command = service.models.to_model(value)
            try:
                # A savepoint: a declared failure undoes the handler's writes and keeps the claim,
                # so that the failure is recorded without a moment in which it could run again.
                async with session.begin_nested():
                    reply = await handler(command, session, context)
            except Failure as failure:
                messages = [self._reply(envelope, failure.message)]
            else:
                events = enumerate(context.published)
                messages = [self._reply(envelope, reply)]
                messages += [self._event(envelope, n, event) for n, event in events]
            await inbox.record(session, service.name, envelope.id, [m.to_json() for m in messages])
        return messages

    def _context(self, handler: Handler, envelope: Envelope) -> Context:
        return Context(
            service=self._service.name,
            command=simple(handler.command.name),
            message_id=envelope.id,
            correlation_id=envelope.correlation_id,
            causation_id=envelope.causation_id,
            key=envelope.key,
            sent_at=envelope.time,
            _events=self._event_topics,
        )

    def _reply(self, command: Envelope, message: Message) -> Outgoing:
        return Outgoing(self._envelope(command, message, f"{command.id}:reply", command.key))

    def _event(self, command: Envelope, number: int, message: Message) -> Outgoing:
        name = type(message).__flow_type__
        field = self._service.program.event(name).key
        key = self._service.codec.key(to_value(message), name, field)
        return Outgoing(
            self._envelope(command, message, f"{command.id}:event:{number}", key),
            self._event_topics[name],
        )

    def _envelope(self, command: Envelope, message: Message, id: str, key: str | None) -> Envelope:
        name = type(message).__flow_type__
        try:
            wire = self._service.codec.to_wire(to_value(message), Named(name))
            data, content_type = self._service.payloads.write(wire, wire_type(name))
        except EncodeError as error:
            # A message made without its checks (`model_construct`).
            raise ServiceError(
                f"service `{self._service.name}`: `{simple(name)}` cannot be sent: {error}"
            ) from None
        return Envelope(
            id=id,
            type=wire_type(name),
            source=f"/services/{self._service.name}",
            time=datetime.now(UTC),
            key=key,
            data=data,
            content_type=content_type,
            correlation_id=command.correlation_id,
            causation_id=command.id,
            traceparent=command.traceparent,
            tracestate=command.tracestate,
        )
