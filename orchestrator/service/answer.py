"""The answer to a command, as the inbox keeps it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from orchestrator.messaging.envelope import Envelope, to_record
from orchestrator.messaging.payloads import is_binary
from orchestrator.messaging.record import Record


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply or a declared failure. It goes where each delivery of the command wants it, which may
    be another place when the saga asks again."""

    envelope: Envelope

    def to_json(self) -> dict[str, Any]:
        """For the inbox; what is no text is kept in base64."""
        e, binary = self.envelope, is_binary(self.envelope.content_type)
        return {
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
    def from_json(cls, found: dict[str, Any]) -> Answer:
        """Back from the inbox."""
        fields = dict(found)
        time = datetime.fromisoformat(fields.pop("time"))
        data = fields.pop("data").encode()
        if is_binary(fields["content_type"]):
            data = base64.b64decode(data)
        return cls(Envelope(data=data, time=time, **fields))

    def to(self, command: Envelope) -> Answer:
        """The same answer, to another command that asks for the same."""
        return Answer(
            replace(
                self.envelope,
                id=reply_id(command),
                time=datetime.now(UTC),
                key=command.key,
                correlation_id=command.correlation_id,
                causation_id=command.id,
                traceparent=command.traceparent,
                tracestate=command.tracestate,
            )
        )

    def to_record(self, command: Envelope) -> Record | None:
        """What to publish for this delivery of the command; None when nobody asked for a reply."""
        if command.reply_to is None:
            return None
        return to_record(self.envelope, command.reply_to.topic, command.reply_to.partition)


def reply_id(command: Envelope) -> str:
    """The id of a command's one answer."""
    return f"{command.id}:reply"
