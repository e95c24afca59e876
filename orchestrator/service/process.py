"""One command, one transaction: inbox, handler, answer, outbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from dsl.model import wire_type
from dsl.types import Named
from dsl.values import Struct
from orchestrator import failpoint
from orchestrator.messaging.codec import EncodeError
from orchestrator.messaging.envelope import Envelope, to_record
from orchestrator.service.answer import Answer, reply_id
from orchestrator.service.context import Context
from orchestrator.service.contract import simple
from orchestrator.service.errors import ServiceError
from orchestrator.service.failure import Failure
from orchestrator.service.handler import Handler
from orchestrator.service.message import Message
from orchestrator.service.models import to_value
from orchestrator.service.once import Once
from orchestrator.service.version import Stale
from orchestrator.store import inbox, outbox
from orchestrator.store.database import Database
from orchestrator.store.outbox import OutboxMessage

if TYPE_CHECKING:
    from orchestrator.service.service import Service

#: How often a handler is run when others change what it has read; then it is an accident.
_ATTEMPTS = 5

#: PostgreSQL's `serialization_failure` and `deadlock_detected`.
_RACES = frozenset({"40001", "40P01"})


@dataclass(frozen=True, slots=True)
class Processed:
    """What a command led to: its answer, and how many events it left in the outbox this time."""

    answer: Answer
    events: int = 0


class Process:
    """Turns a command into its answer and its events, once."""

    def __init__(self, service: Service, database: Database) -> None:
        self._service = service
        self._database = database
        self._event_topics = {e.name: e.topic for e in service.model.events}

    async def __call__(self, handler: Handler, envelope: Envelope) -> Processed:
        """A new answer, or the recorded one of a command that is known. Raises DecodeError,
        ConflictError (known id, another body), StoreError, ServiceError, and what the handler
        raises; nothing is recorded then."""
        service = self._service
        wire = service.payloads.read(envelope.data, envelope.content_type, envelope.type)
        value = service.codec.from_wire(wire, Named(handler.command.name))
        attempts = _ATTEMPTS
        while True:
            attempts -= 1
            try:
                return await self._attempt(handler, envelope, value)
            except (StaleDataError, DBAPIError) as error:
                if attempts == 0 or not _lost_a_race(error):
                    raise

    async def _attempt(self, handler: Handler, envelope: Envelope, value: Struct) -> Processed:
        service = self._service
        body = envelope.type.encode() + b"\n" + envelope.data
        async with self._database.transaction() as session:
            done = await inbox.claim(session, service.name, envelope.id, body)
            if done is not None:
                return Processed(Answer.from_json(done.answer))
            answer, events = await self._answer(handler, envelope, value, session)
            await outbox.add(session, events)
            await inbox.record(session, service.name, envelope.id, answer.to_json())
            failpoint.reach("handler.before-commit")
        failpoint.reach("handler.after-commit")
        return Processed(answer, len(events))

    async def _answer(
        self, handler: Handler, envelope: Envelope, value: Struct, session: AsyncSession
    ) -> tuple[Answer, list[OutboxMessage]]:
        once = Once(self._service.name, handler.command, envelope, value)
        context = self._context(handler, envelope)
        command = self._service.models.to_model(value)
        try:
            # A savepoint: a declared failure undoes the handler's writes and keeps the claim of the
            # inbox, so that it is recorded without a moment in which the handler could run again.
            async with session.begin_nested():
                known = await once.known(session)
                if known is not None:
                    return known, []
                reply = await handler(command, session, context)
                answer = self._answer_of(envelope, reply)
                await once.done(session, answer)
        except Failure as failure:
            return self._answer_of(envelope, failure.message), []
        except Stale as stale:
            return self._answer_of(envelope, _answer_stale(handler, command, stale)), []
        return answer, [self._event(envelope, n, e) for n, e in enumerate(context.published)]

    def _answer_of(self, command: Envelope, message: Message) -> Answer:
        return Answer(self._envelope(command, message, reply_id(command), command.key))

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

    def _event(self, command: Envelope, number: int, message: Message) -> OutboxMessage:
        name = type(message).__flow_type__
        field = self._service.program.event(name).key
        key = self._service.codec.key(to_value(message), name, field)
        envelope = self._envelope(command, message, f"{command.id}:event:{number}", key)
        record = to_record(envelope, self._event_topics[name])
        headers = tuple((header, value.decode()) for header, value in record.headers)
        return OutboxMessage(
            envelope.id, record.topic, record.key, envelope.type, record.value, headers
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


def _answer_stale(handler: Handler, command: Message, stale: Stale) -> Message:
    try:
        return handler.answer_stale(command, stale)
    except Failure as failure:
        return failure.message


def _lost_a_race(error: StaleDataError | DBAPIError) -> bool:
    """Whether somebody else was quicker: what the handler read is read again, then."""
    if isinstance(error, StaleDataError):
        return True
    return getattr(error.orig, "sqlstate", None) in _RACES
