"""What a service sends by itself: answers and dead letters, until the bus has them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog

from orchestrator import failpoint
from orchestrator.messaging.bus import Bus, BusError, UndeliverableError
from orchestrator.messaging.deadletter import Disposition, dead_letter, dead_letter_topic
from orchestrator.messaging.record import Record
from orchestrator.telemetry import metrics, traces

log = structlog.get_logger(__name__)

_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0


class Post:
    """Publishes for one consumer group."""

    def __init__(self, bus: Bus, group: str) -> None:
        self._bus = bus
        self._group = group
        self._flying: set[asyncio.Task[None]] = set()

    async def give_up(
        self, record: Record, error: BaseException, why: Disposition, *, holds: bool = False
    ) -> None:
        """Puts a record among the dead letters of its topic; `holds` says that later ones of its
        key wait for it."""
        traces.failed(error)
        if meters := metrics.meters():
            meters.letter(self._group, record.topic, why.value)
        log.warning(
            "message dead-lettered",
            group=self._group,
            place=record.place,
            disposition=why.value,
            error=type(error).__name__,
        )
        topic = dead_letter_topic(record.topic, self._group)
        letter = dead_letter(record, topic, error, why, self._group, holds=holds)
        failpoint.reach("rejected.before-publish")
        await self.publish(letter, record.place)
        failpoint.reach("rejected.after-publish")

    async def publish(self, record: Record, message_id: str) -> None:
        """Until it is acknowledged: the offset must not be committed before."""
        wait = _FIRST_WAIT
        while True:
            try:
                await self._bus.publish(record)
                return
            except UndeliverableError as error:
                # A reply to nowhere: its answer is recorded, and the saga may ask again.
                log.error("message cannot be sent", message_id=message_id, error=str(error))
                return
            except BusError as error:
                log.warning("sending again", message_id=message_id, error=str(error))
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)

    def let_go(self, records: Iterable[Record]) -> None:
        """Publishes without waiting for it; what the bus does not take is gone."""
        for record in records:
            task = asyncio.create_task(self._let_go(record))
            self._flying.add(task)
            task.add_done_callback(self._flying.discard)

    async def _let_go(self, record: Record) -> None:
        try:
            await self._bus.publish(record)
        except BusError as error:
            log.warning("event dropped: it is published at most once", error=str(error))
