"""Messages in numbers: how many are sent and handled, and how long that takes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from orchestrator.messaging.around import BusAround
from orchestrator.messaging.bus import Bus, BusError
from orchestrator.messaging.lanes import Handle
from orchestrator.messaging.record import Record
from orchestrator.telemetry import metrics
from orchestrator.telemetry.metrics import Meters


def metered_bus(bus: Bus) -> Bus:
    """The bus itself while nothing is counted."""
    meters = metrics.meters()
    return bus if meters is None else MeteredBus(bus, meters)


def metered_handle(handle: Handle, group: str) -> Handle:
    """`handle`, counted and timed; itself while nothing is counted."""
    meters = metrics.meters()
    if meters is None:
        return handle
    timed, clock = meters.handling(group), time.perf_counter

    async def metered(record: Record) -> None:
        began = clock()
        try:
            await handle(record)
        finally:
            timed[record.topic].observe(clock() - began)

    return metered


class MeteredBus(BusAround):
    """A bus whose messages are counted."""

    def __init__(self, bus: Bus, meters: Meters) -> None:
        super().__init__(bus)
        self._sent = meters.sent
        self._unsent = meters.unsent

    async def publish(self, record: Record) -> None:
        """See `Bus`."""
        try:
            await self._bus.publish(record)
        except BusError as error:
            self._failed(record, error)
            raise
        self._sent[record.topic].inc()

    async def publish_all(self, records: Sequence[Record]) -> dict[int, BusError]:
        """See `Bus`."""
        errors = await self._bus.publish_all(records)
        for place, record in enumerate(records):
            if place in errors:
                self._failed(record, errors[place])
            else:
                self._sent[record.topic].inc()
        return errors

    def _failed(self, record: Record, error: BusError) -> None:
        self._unsent(record.topic, type(error).__name__)
