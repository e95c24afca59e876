"""Settles dead letters without sending them."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.messaging.bus import Bus, BusError
from orchestrator.messaging.obituary import discarded
from orchestrator.messaging.record import Record
from orchestrator.store import letter_deeds, letters
from orchestrator.store.database import Database
from orchestrator.store.letter_choice import Choice
from orchestrator.store.letters import Letter, State

_PAGE, _LEASE = 500, 60.0


async def discard_letters(
    database: Database, bus: Bus | None, choice: Choice, run: str, who: str, reason: str | None
) -> int:
    """Discards what is chosen and waits, page by page; how many it was. The consumers of those that
    hold their keys are told, and go on: `bus` is needed when there are any. Raises StoreError,
    SQLAlchemyError, BusError; a page that was not told of waits as before."""
    after = total = 0
    while True:
        async with database.transaction() as session:
            page = await letter_deeds.claim(session, choice, run, after, _PAGE, _LEASE)
        if not page:
            return total
        try:
            await _tell(database, bus, page, run)
        except BusError:
            async with database.transaction() as session:
                await letter_deeds.release(session, page, run)
            raise
        async with database.transaction() as session:
            await letter_deeds.settle(session, page, run, State.DISCARDED, who, reason)
        after = page[-1].id
        total += len(page)


async def _tell(database: Database, bus: Bus | None, page: Sequence[Letter], run: str) -> None:
    told = [e for e in page if e.holds and e.topic is not None and e.consumer is not None]
    if not told:
        return
    if bus is None:
        raise BusError("a letter that holds its key came meanwhile: discard again")
    async with database.reading() as session:
        bodies = await letters.bodies(session, [e.id for e in told])
    records = []
    for letter in told:
        body = bodies[letter.id]
        key = None if body.key is None else body.key.decode("utf-8", "surrogateescape")
        topic, group = letter.topic or "", letter.consumer or ""
        record = Record(topic, key, body.value, body.headers)
        records.append(discarded(record, topic, group, f"{run}/{letter.id}"))
    failed = await bus.publish_all(records)
    for error in failed.values():
        raise error
