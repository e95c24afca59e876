"""What a handler may know of the message, and what else it may send."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.service.errors import ServiceError
from orchestrator.service.message import Message


@dataclass(frozen=True, slots=True)
class Context:
    """The envelope of a command or an event, without anything that differs between deliveries of
    it: a handler must not be able to tell the second from the first. `message` is its simple
    name."""

    service: str
    message: str
    message_id: str
    correlation_id: str | None
    causation_id: str | None
    key: str | None
    sent_at: datetime
    _events: dict[str, str]
    _published: list[Message] = field(default_factory=list)

    def publish(self, event: Message) -> None:
        """Publishes one of the service's events: it stands in the outbox when the transaction is
        committed, and is published from there, those of a key in the order of the commits. A
        declared failure drops it. Raises ServiceError for what is no such event."""
        name = getattr(type(event), "__flow_type__", "")
        if name not in self._events:
            raise ServiceError(
                f"service `{self.service}` cannot publish `{type(event).__name__}` while handling "
                f"`{self.message}`: it is none of its events"
            )
        self._published.append(event)

    @property
    def published(self) -> tuple[Message, ...]:
        """What was published so far."""
        return tuple(self._published)
