"""How a command is done once under whatever message id it comes, as its contract declares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from dsl.fine import coarse
from dsl.model import CommandModel, wire_type
from dsl.values import Struct
from orchestrator.messaging.envelope import Envelope
from orchestrator.service.answer import Answer
from orchestrator.service.contract import simple
from orchestrator.service.errors import ServiceError
from orchestrator.service.models import to_value
from orchestrator.store import business_keys
from orchestrator.store.business_keys import BusinessKey

log = structlog.get_logger(__name__)


class Once:
    """One command by its business key: the declared fields, or the message's key with the version
    that it applies to. It works in the transaction of the inbox, which knows the message's id."""

    def __init__(self, service: str, command: CommandModel, envelope: Envelope, value: Struct):
        by, fields = command.idempotency.by, command.idempotency.fields
        names = (command.key, *fields) if by == "version" else fields
        type = wire_type(command.name)
        self._key = BusinessKey(service, type, text_of([value[name] for name in names]))
        self._body = text_of(value)
        self._by = by
        self._envelope = envelope

    @classmethod
    def of(
        cls, service: str, command: CommandModel, envelope: Envelope, value: Struct
    ) -> Once | None:
        """None for what is known by its message's id alone: that is the inbox's affair."""
        if command.idempotency.by == "message":
            return None
        return cls(service, command, envelope, value)

    async def known(self, session: AsyncSession) -> Answer | None:
        """The answer to this command that was recorded under another message's id; None when the
        handler has to be asked."""
        envelope = self._envelope
        done = await business_keys.claim(session, self._key, envelope.id, self._body)
        if done is None:
            return None
        if not done.same:
            if self._by == "version":
                return None  # a rival that comes too late: the handler's update will say so
            log.warning(
                "a business key is known with another body",
                type=envelope.type,
                message_id=envelope.id,
                done_by=done.message_id,
            )
        return Answer.from_json(done.answer).to(envelope)

    async def done(self, session: AsyncSession, answer: Answer) -> None:
        """Records the reply. A declared failure is not recorded: nothing was done, and the next
        message may have more luck."""
        id, found = self._envelope.id, answer.to_json()
        await business_keys.record(session, self._key, id, self._body, found)


def freed_key(service: str, command: CommandModel, fields: Mapping[str, Any]) -> BusinessKey:
    """The key with these values of its fields. Raises ServiceError when the command has no such
    key."""
    name, wanted = simple(command.name), command.idempotency.fields
    if command.idempotency.by != "key":
        raise ServiceError(f"service `{service}`: `{name}` is not `idempotent by key`")
    if set(fields) != set(wanted):
        listed = ", ".join(f"`{f}`" for f in wanted)
        raise ServiceError(f"service `{service}`: the key of `{name}` has the fields {listed}")
    values = [to_value(fields[f]) for f in wanted]
    return BusinessKey(service, wire_type(command.name), text_of(values))


def text_of(value: Any) -> str:
    """The same text for equal values, whoever wrote them: `1.5` is `1.50`, an instant is one in
    UTC, to the microsecond that a participant sees, a map has no order."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case Decimal():
            return format(value.normalize() if value else Decimal(0), "f")
        case bytes():
            return value.hex()
        case datetime():
            return coarse(value).astimezone(UTC).isoformat()
        case date() | UUID():
            return str(value)
        case timedelta():
            return coarse(value) // timedelta(microseconds=1)
        case float():
            return value + 0.0  # no negative zero
    return value
