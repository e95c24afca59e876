"""The messages that a handler leads to, in their envelopes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dsl.model import Delivery, wire_type
from dsl.types import Named
from orchestrator.messaging.codec import EncodeError
from orchestrator.messaging.envelope import Envelope, to_record
from orchestrator.messaging.record import Record
from orchestrator.service.context import Context
from orchestrator.service.contract import simple
from orchestrator.service.errors import ServiceError
from orchestrator.service.message import Message
from orchestrator.service.models import to_value
from orchestrator.store.outbox import OutboxMessage
from orchestrator.telemetry import traces

if TYPE_CHECKING:
    from orchestrator.service.service import Service


#: Well under what the outbox has room for.
_LONGEST_ID = 256


@dataclass(frozen=True, slots=True)
class Published:
    """What a handler has published: for the outbox, and what is sent at most once, without it."""

    kept: tuple[OutboxMessage, ...] = ()
    once: tuple[Record, ...] = ()


class Outgoing:
    """Makes a service's envelopes. `cause` is the message that is handled: what comes of it has ids
    made from its own, so that the same is the same when it is handled again."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._event_topics = {e.name: e.topic for e in service.model.events}

    def context(self, cause: Envelope, message: str) -> Context:
        """What the handler of a message (its simple name) is given."""
        return Context(
            service=self._service.name,
            message=message,
            message_id=cause.id,
            correlation_id=cause.correlation_id,
            causation_id=cause.causation_id,
            key=cause.key,
            sent_at=cause.time,
            _events=self._event_topics,
        )

    def events(self, cause: Envelope, stem: str, published: Sequence[Message]) -> Published:
        """Events with ids that begin with `stem`, sorted by how they are delivered. Raises
        ServiceError."""
        kept, once = [], []
        for number, event in enumerate(published):
            record, envelope = self._record(cause, _event_id(stem, number), event)
            if self._is_once(event):
                once.append(record)
            else:
                kept.append(_row(record, envelope))
        return Published(tuple(kept), tuple(once))

    def _is_once(self, event: Message) -> bool:
        model = self._service.program.event(type(event).__flow_type__)
        return model.delivery is Delivery.AT_MOST_ONCE

    def envelope(self, cause: Envelope, message: Message, id: str, key: str | None) -> Envelope:
        """Raises ServiceError for what the contract cannot say."""
        name = type(message).__flow_type__
        try:
            wire = self._service.codec.to_wire(to_value(message), Named(name))
            data, content_type = self._service.payloads.write(wire, wire_type(name))
        except EncodeError as error:
            # A message made without its checks (`model_construct`).
            raise ServiceError(
                f"service `{self._service.name}`: `{simple(name)}` cannot be sent: {error}"
            ) from None
        context = traces.carried(
            {traces.TRACEPARENT: cause.traceparent, traces.TRACESTATE: cause.tracestate}
        )
        return Envelope(
            id=id,
            type=wire_type(name),
            source=f"/services/{self._service.name}",
            time=datetime.now(UTC),
            key=key,
            data=data,
            content_type=content_type,
            correlation_id=cause.correlation_id,
            causation_id=cause.id,
            traceparent=context[traces.TRACEPARENT],
            tracestate=context[traces.TRACESTATE],
        )

    def _record(self, cause: Envelope, id: str, message: Message) -> tuple[Record, Envelope]:
        name = type(message).__flow_type__
        field = self._service.program.event(name).key
        key = self._service.codec.key(to_value(message), name, field)
        envelope = self.envelope(cause, message, id, key)
        return to_record(envelope, self._event_topics[name]), envelope


def _row(record: Record, envelope: Envelope) -> OutboxMessage:
    headers = tuple((header, value.decode()) for header, value in record.headers)
    return OutboxMessage(
        envelope.id, record.topic, record.key, envelope.type, record.value, headers
    )


def _event_id(stem: str, number: int) -> str:
    id = f"{stem}:event:{number}"
    if len(id) <= _LONGEST_ID:
        return id
    # Events that lead to events that lead to events: the ids would grow with each.
    return f"{hashlib.sha256(stem.encode()).hexdigest()}:event:{number}"
