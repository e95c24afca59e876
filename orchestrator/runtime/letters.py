"""Reads the dead-letter topics into the index, where a person finds them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

import structlog

from orchestrator.compile.plan import Plan
from orchestrator.messaging.bus import Bus, BusError, Reader
from orchestrator.messaging.deadletter import STEPS
from orchestrator.messaging.obituary import read_obituary
from orchestrator.messaging.record import Record, TopicPartition
from orchestrator.patience import outlast
from orchestrator.runtime.letter_topics import LetterTopics
from orchestrator.runtime.wire import split_message_id
from orchestrator.store import letters
from orchestrator.store.database import Database
from orchestrator.store.letters import Found
from orchestrator.store.outage import store_away

log = structlog.get_logger(__name__)

GROUP = "orchestrate.letters"

#: Seconds between two looks for topics that are new: a participant makes its own when it starts.
_LOOK_EVERY = 5.0
#: Letters of one transaction, and the seconds that a poll waits for the first.
_BATCH, _POLL = 500, 1.0


class Letters:
    """Indexes the dead letters of all topics of the plans that are served, whoever wrote them, and
    of the topics that policies name. Any number of workers share the work. `plans` gives the plans
    of the moment."""

    def __init__(self, bus: Bus, database: Database, plans: Callable[[], Sequence[Plan]]) -> None:
        self._bus = bus
        self._database = database
        self._plans = plans
        self._known: list[Plan] = []
        self._topics = LetterTopics([])

    async def run(self, stop: asyncio.Event) -> None:
        """Indexes until `stop` is set. A bus or a store that is away is waited out."""
        work = asyncio.create_task(self._work())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
        for task in (work, stopped):
            task.cancel()
        await asyncio.wait((work, stopped))
        if not work.cancelled():
            work.result()

    async def _work(self) -> None:
        while True:
            wait = _POLL
            try:
                if topics := await self._present():
                    await self._read(topics)
            except (BusError, OSError) as error:
                log.warning("dead letters are not indexed yet", error=str(error))
                wait = _LOOK_EVERY
            await asyncio.sleep(wait)

    async def _present(self) -> list[str]:
        plans = [*self._plans()]
        if [*map(id, plans)] != [*map(id, self._known)]:
            self._known, self._topics = plans, LetterTopics(plans)
        return self._topics.among(await self._bus.topics())

    async def _read(self, topics: list[str]) -> None:
        """Reads these topics until there are others."""
        reader = await self._bus.reader(topics, GROUP)
        try:
            look = time.monotonic() + _LOOK_EVERY
            while True:
                await self._batch(reader)
                if time.monotonic() >= look:
                    if await self._present() != topics:
                        return
                    look = time.monotonic() + _LOOK_EVERY
        finally:
            await reader.close()

    async def _batch(self, reader: Reader) -> None:
        records = await reader.poll(_BATCH, _POLL)
        if not records:
            return
        found = [found_in(r, self._topics) for r in records]

        async def add() -> int:
            async with self._database.transaction() as session:
                return await letters.add(session, found)

        new = await outlast(add, store_away("the index of dead letters"))
        if new:
            log.info("dead letters indexed", count=new)
        # After the rows: what is read twice is one row.
        with contextlib.suppress(BusError):
            await reader.commit(_behind(records))


def found_in(record: Record, topics: LetterTopics) -> Found:
    """What the index keeps of a letter that was read."""
    told = read_obituary(record)
    after = told.after
    return Found(
        letter_topic=record.topic,
        letter_partition=record.partition or 0,
        letter_offset=record.offset or 0,
        flow=topics.flow(told.topic, told.correlation_id),
        topic=told.topic,
        partition=told.partition,
        offset=told.offset,
        consumer=told.group,
        type=told.type,
        message_id=told.id,
        saga_id=told.correlation_id,
        disposition=told.disposition.value,
        error=told.error,
        message=told.message,
        place=_step(told.id) if told.group == STEPS else told.place,
        died_at=told.died,
        holds=told.holds,
        after_run=after[0] if after else None,
        after_letter=after[1] if after else None,
        key=None if record.key is None else record.key.encode("utf-8", "surrogateescape"),
        value=record.value,
        headers=record.headers,
    )


def _step(id: str | None) -> str | None:
    """The place of a step that was given up."""
    try:
        saga, path = split_message_id(id or "")
    except ValueError:
        return None
    return f"step {path} of {saga.partition('/')[0]}"


def _behind(records: Sequence[Record]) -> dict[TopicPartition, int]:
    return {(r.topic, r.partition or 0): (r.offset or 0) + 1 for r in records}
