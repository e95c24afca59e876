"""One message, one transaction: inbox, handler, answer, outbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from dsl.types import Named
from dsl.values import Struct
from orchestrator import failpoint
from orchestrator.messaging.envelope import Envelope
from orchestrator.messaging.record import Record
from orchestrator.service.answer import Answer, reply_id
from orchestrator.service.calls import Calls
from orchestrator.service.contract import simple
from orchestrator.service.failure import Failure
from orchestrator.service.handler import Handler
from orchestrator.service.handling import Handling
from orchestrator.service.message import Message
from orchestrator.service.once import Once
from orchestrator.service.outgoing import Outgoing, Published
from orchestrator.service.reaction import Reaction
from orchestrator.service.sequencer import Sequencer
from orchestrator.service.version import Stale
from orchestrator.store import inbox, outbox
from orchestrator.store.database import Database
from orchestrator.store.sequences import Place

if TYPE_CHECKING:
    from orchestrator.service.service import Service

T = TypeVar("T")

#: How often a handler is run when others change what it has read; then it is an accident.
_ATTEMPTS = 5

#: PostgreSQL's `serialization_failure` and `deadlock_detected`.
_RACES = frozenset({"40001", "40P01"})


@dataclass(frozen=True, slots=True)
class Processed:
    """What a message led to: the answer to a command, and this time how many events it left in the
    outbox, and what is to be published at most once, beside the outbox."""

    answer: Answer | None
    events: int = 0
    once: tuple[Record, ...] = ()


class Process:
    """Turns a command into its answer and its events, or an event into its effect, once."""

    def __init__(self, service: Service, database: Database, calls: Calls) -> None:
        self._service = service
        self._database = database
        self._calls = calls
        self._outgoing = Outgoing(service)

    async def __call__(self, handler: Handler | Reaction, envelope: Envelope) -> Processed:
        """A new answer, or the recorded one of a command that is known. Raises DecodeError,
        ConflictError (known id, another body), StoreError, ServiceError, and what the handler
        raises; nothing is recorded then."""
        value = self.value(handler, envelope)

        async def attempt() -> Processed:
            async with self._database.transaction() as session:
                return await self._once(session, handler, envelope, value)

        return await _raced(attempt)

    async def in_turn(
        self, sequencer: Sequencer, reaction: Reaction, envelope: Envelope, record: Record
    ) -> Processed:
        """As a call, of an event that is numbered, when its turn has come; else nothing. Raises
        what a call raises."""
        value = self.value(reaction, envelope)
        found = Processed(None)

        async def work(session: AsyncSession) -> None:
            nonlocal found
            found = await self._once(session, reaction, envelope, value)

        stream, number = sequencer.stream(envelope.type, envelope.key), reaction.number(value)

        async def attempt() -> Place:
            return await sequencer.place(stream, number, record, work)

        await _raced(attempt)
        return found

    async def at_most_once(self, handler: Handler | Reaction, envelope: Envelope) -> Processed:
        """As a call, but the message is known before it is handled: what fails, fails for good,
        and so does what a crash comes upon."""
        value = self.value(handler, envelope)
        async with self._database.transaction() as session:
            done = await inbox.claim(session, handler.group, envelope.id, _body(envelope))
            failpoint.reach("once.before-claim")
        if done is not None:
            return _recorded(done)
        failpoint.reach("once.after-claim")
        async with self._database.transaction() as session:
            if not await inbox.hold(session, handler.group, envelope.id):
                return Processed(None)
            return await self._effect(session, handler, envelope, value)

    def value(self, handler: Handler | Reaction, envelope: Envelope) -> Struct:
        """What a message says. Raises DecodeError."""
        service = self._service
        wire = service.payloads.read(envelope.data, envelope.content_type, envelope.type)
        value: Struct = service.codec.from_wire(wire, Named(handler.name))
        return value

    async def _once(
        self,
        session: AsyncSession,
        handler: Handler | Reaction,
        envelope: Envelope,
        value: Struct,
    ) -> Processed:
        done = await inbox.claim(session, handler.group, envelope.id, _body(envelope))
        if done is not None:
            return _recorded(done)
        return await self._effect(session, handler, envelope, value)

    async def _effect(
        self,
        session: AsyncSession,
        handler: Handler | Reaction,
        envelope: Envelope,
        value: Struct,
    ) -> Processed:
        """What a message that is claimed leads to, and that it did."""
        if envelope.undoes is not None:
            # First, so that the handler sees what a late process has still under way.
            await inbox.forbid(session, handler.group, envelope.undoes)
        answer: Answer | None = None
        if isinstance(handler, Reaction):
            outgoing = await self._react(handler, envelope, value, session)
        else:
            answer, outgoing = await self._answer(handler, envelope, value, session)
        await outbox.add(session, outgoing.kept)
        recorded = None if answer is None else answer.to_json()
        await inbox.record(session, handler.group, envelope.id, recorded)
        failpoint.reach("handler.before-commit")
        return Processed(answer, len(outgoing.kept), outgoing.once)

    async def _react(
        self, reaction: Reaction, envelope: Envelope, value: Struct, session: AsyncSession
    ) -> Published:
        handling = self._handling(reaction, envelope, value, session)
        await reaction(handling, self._calls)
        # Several services may react to one event, and an id is one message's.
        stem = f"{envelope.id}:{reaction.service}"
        return self._outgoing.events(envelope, stem, handling.context.published)

    async def _answer(
        self, handler: Handler, envelope: Envelope, value: Struct, session: AsyncSession
    ) -> tuple[Answer, Published]:
        once = Once.of(self._service.name, handler.command, envelope, value)
        handling = self._handling(handler, envelope, value, session)
        try:
            # A savepoint: a declared failure undoes the handler's writes and keeps the claim of the
            # inbox, so that it is recorded without a moment in which the handler could run again.
            async with session.begin_nested():
                known = await once.known(session) if once else None
                if known is not None:
                    return known, Published()
                reply = await handler(handling, self._calls)
                answer = self._answer_of(envelope, reply)
                if once:
                    await once.done(session, answer)
        except Failure as failure:
            return self._answer_of(envelope, failure.message), Published()
        except Stale as stale:
            stale_answer = _answer_stale(handler, handling.message, stale)
            return self._answer_of(envelope, stale_answer), Published()
        return answer, self._outgoing.events(envelope, envelope.id, handling.context.published)

    def _handling(
        self, handler: Handler | Reaction, envelope: Envelope, value: Struct, session: AsyncSession
    ) -> Handling:
        message = self._service.models.to_model(value)
        context = self._outgoing.context(envelope, simple(handler.name))
        return Handling(message, envelope, session, context)

    def _answer_of(self, command: Envelope, message: Message) -> Answer:
        return Answer(self._outgoing.envelope(command, message, reply_id(command), command.key))


def _body(envelope: Envelope) -> bytes:
    """What must be the same in all messages of one id."""
    return envelope.type.encode() + b"\n" + envelope.data


def _recorded(done: inbox.Processed) -> Processed:
    """What a message that is known led to; no answer where nobody lived to record one."""
    return Processed(None if done.answer is None else Answer.from_json(done.answer))


def _answer_stale(handler: Handler, command: Message, stale: Stale) -> Message:
    try:
        return handler.answer_stale(command, stale)
    except Failure as failure:
        return failure.message


async def _raced(attempt: Callable[[], Awaitable[T]]) -> T:
    """Again, when somebody else was quicker."""
    attempts = _ATTEMPTS
    while True:
        attempts -= 1
        try:
            found = await attempt()
        except (StaleDataError, DBAPIError) as error:
            if attempts == 0 or not _lost_a_race(error):
                raise
        else:
            failpoint.reach("handler.after-commit")
            return found


def _lost_a_race(error: StaleDataError | DBAPIError) -> bool:
    """Whether somebody else was quicker: what the handler read is read again, then."""
    if isinstance(error, StaleDataError):
        return True
    return getattr(error.orig, "sqlstate", None) in _RACES
