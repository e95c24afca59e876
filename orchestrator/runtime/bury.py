"""Dead letters of the consumers: an offset is committed only when its letter is safe."""

from __future__ import annotations

import asyncio

import structlog

from orchestrator import failpoint
from orchestrator.messaging.bus import Bus, BusError, UndeliverableError
from orchestrator.messaging.record import Record

log = structlog.get_logger(__name__)


async def bury(bus: Bus, letter: Record) -> None:
    """Publishes a dead letter and waits out a bus that is away. One that the bus will never take
    (too large with its headers) is logged and given up."""
    wait = 0.1
    while True:
        try:
            failpoint.reach("letter.before-publish")
            await bus.publish(letter)
            failpoint.reach("letter.after-publish")
            return
        except UndeliverableError as error:
            log.error("dead letter lost", topic=letter.topic, error=str(error))
            return
        except BusError as error:
            log.warning("dead letter waits for the bus", topic=letter.topic, error=str(error))
        await asyncio.sleep(wait)
        wait = min(wait * 2, 5.0)
