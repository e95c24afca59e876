"""Takes a protection out of this process, to see that its absence is noticed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select

from orchestrator.messaging.record import Record
from orchestrator.service import runner
from orchestrator.service.commands import Commands
from orchestrator.service.process import Processed
from orchestrator.store import inbox, outbox
from orchestrator.store.tables import outbox_pending


def go(protections: Sequence[str]) -> None:
    """Without these: `inbox`, `outbox`, `lease`."""
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


_WAYS: dict[str, Callable[[], None]] = {"inbox": _inbox, "outbox": _outbox, "lease": _lease}
