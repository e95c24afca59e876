"""Messages that a command led to, as the inbox keeps them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.messaging.envelope import Envelope, to_record
from orchestrator.messaging.payloads import is_binary
from orchestrator.messaging.record import Record


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event for `topic`, or without one the reply: it goes where each delivery of the command
    wants it, which may be another place when the saga asks again."""

    envelope: Envelope
    topic: str | None = None

    def to_json(self) -> dict[str, Any]:
        """For the inbox; what is no text is kept in base64."""
        e, binary = self.envelope, is_binary(self.envelope.content_type)
        return {
            "topic": self.topic,
            "id": e.id,
            "type": e.type,
            "source": e.source,
            "time": e.time.isoformat(),
            "key": e.key,
            "data": base64.b64encode(e.data).decode() if binary else e.data.decode(),
            "content_type": e.content_type,
            "correlation_id": e.correlation_id,
            "causation_id": e.causation_id,
            "traceparent": e.traceparent,
            "tracestate": e.tracestate,
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Outgoing:
        """Back from the inbox."""
        fields = dict(found)
        topic = fields.pop("topic")
        time = datetime.fromisoformat(fields.pop("time"))
        data = fields.pop("data").encode()
        if is_binary(fields["content_type"]):
            data = base64.b64decode(data)
        return cls(Envelope(data=data, time=time, **fields), topic)

    def to_record(self, command: Envelope) -> Record | None:
        """What to publish for this delivery of the command; None for a reply nobody asked for."""
        if self.topic is not None:
            return to_record(self.envelope, self.topic)
        if command.reply_to is None:
            return None
        return to_record(self.envelope, command.reply_to.topic, command.reply_to.partition)
