"""Takes a protection out of this process, to see that its absence is noticed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Update, select

from orchestrator.messaging.kafka_line import Line
from orchestrator.messaging.record import Record
from orchestrator.service import runner
from orchestrator.service.commands import Commands
from orchestrator.service.process import Processed
from orchestrator.service.version import Version
from orchestrator.store import business_keys, inbox, outbox
from orchestrator.store.sequences import Place, Sequences
from orchestrator.store.tables import outbox_pending


def go(protections: Sequence[str]) -> None:
    """Without these: `inbox`, `outbox`, `lease`, `keys`, `version`, `sequence`, `fencing`."""
    for each in protections:
        _WAYS[each]()


def _inbox() -> None:
    """Every delivery is the first."""

    async def claim(*_: Any) -> None:
        return None

    async def record(*_: Any) -> None:
        return None

    inbox.claim = claim
    inbox.record = record  # type: ignore[assignment]


def _outbox() -> None:
    """Events are published when the transaction is committed, by who committed it."""
    left: dict[str, list[outbox.OutboxMessage]] = {}

    async def add(_: Any, messages: Sequence[outbox.OutboxMessage]) -> None:
        if messages:
            left[messages[0].id.partition(":event:")[0]] = list(messages)

    class Publishing(Commands):
        async def _send(self, command: Any, processed: Processed) -> None:
            for m in left.pop(command.id, ()):
                headers = tuple((name, value.encode()) for name, value in m.headers)
                await self._post.publish(Record(m.topic, m.key, m.payload, headers), m.id)
            await super()._send(command, processed)

    outbox.add = add
    runner.Commands = Publishing  # type: ignore[attr-defined, misc]


def _lease() -> None:
    """Every relay takes whatever is pending."""

    async def claim(session: Any, owner: str, limit: int, lease: float) -> list[int]:
        rows = await session.execute(select(outbox_pending.c.bucket).distinct())
        return list(rows.scalars())

    outbox.claim = claim


def _keys() -> None:
    """Every business key is new."""

    async def claim(*_: Any) -> None:
        return None

    async def record(*_: Any) -> None:
        return None

    business_keys.claim = claim
    business_keys.record = record


def _version() -> None:
    """An update does not look at the version that is there."""

    async def update(self: Version, statement: Update) -> int:
        self._asked = True
        next = self.expected + 1
        await self._session.execute(statement.values(version=next))
        return next

    Version.update = update  # type: ignore[assignment, method-assign]


def _sequence() -> None:
    """It is always an event's turn."""

    async def place(*_: Any, **__: Any) -> Place:
        return Place.TAKEN

    Sequences.place = place  # type: ignore[method-assign]


def _fencing() -> None:
    """Every process has a transactional id of its own, so that the next one keeps nobody out."""
    name = Line.transactional_id.fget
    assert name
    Line.transactional_id = property(  # type: ignore[method-assign, assignment]
        lambda line: f"{name(line)}-{os.getpid()}"
    )


_WAYS: dict[str, Callable[[], None]] = {
    "inbox": _inbox,
    "outbox": _outbox,
    "lease": _lease,
    "keys": _keys,
    "version": _version,
    "sequence": _sequence,
    "fencing": _fencing,
}
