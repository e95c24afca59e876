"""Follows sagas by listening on the bus: what is sent, what is answered, as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from dsl.model import wire_type
from orchestrator.compile.plan import Plan
from orchestrator.messaging.bus import Bus, Reader
from orchestrator.messaging.envelope import Envelope, EnvelopeError, from_record
from orchestrator.runtime import replies
from orchestrator.runtime.wire import split_message_id


class Seen(StrEnum):
    """What was last seen of a message."""

    SENT = "sent"
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(slots=True)
class Sight:
    """What was seen of one message: how often it was sent, and its answer's name."""

    state: Seen = Seen.SENT
    sent: int = 0
    answer: str = ""


@dataclass(slots=True)
class Followed:
    """What was seen of one saga, by path."""

    messages: dict[str, Sight] = field(default_factory=dict)


class Watch:
    """Follows all sagas of some plans. `sagas` grows while `run` runs."""

    def __init__(self, bus: Bus, plans: Iterable[Plan]) -> None:
        self._bus = bus
        self._reader: Reader | None = None
        self._topics = {replies.TOPIC.name}
        self._fails: set[str] = set()
        for plan in plans:
            self._topics |= {c.topic for c in plan.commands.values()}
            self._fails |= {wire_type(f) for c in plan.commands.values() for f in c.fails}
        self.sagas: dict[str, Followed] = {}

    async def start(self) -> None:
        """Sees everything that is published from now on. Raises BusError."""
        self._reader = await self._bus.tap(sorted(self._topics))

    async def run(self, stop: asyncio.Event, changed: Callable[[], None]) -> None:
        """Follows until `stop` is set; `changed` is called after each change."""
        assert self._reader, "start comes first"
        try:
            while not stop.is_set():
                records = await self._reader.poll(200, 0.1)
                for record in records:
                    try:
                        self._see(from_record(record), record.topic)
                    except (EnvelopeError, ValueError):
                        continue  # not a saga's message: others may use the topic too
                if records:
                    changed()
        finally:
            await self._reader.close()

    def _see(self, envelope: Envelope, topic: str) -> None:
        answer = topic == replies.TOPIC.name
        id = (envelope.causation_id or "") if answer else envelope.id
        saga, path = split_message_id(id)
        sight = self.sagas.setdefault(saga, Followed()).messages.setdefault(path, Sight())
        if not answer:
            sight.sent += 1
            return
        sight.state = Seen.FAILED if envelope.type in self._fails else Seen.ANSWERED
        sight.answer = envelope.type.rpartition(".")[2]
