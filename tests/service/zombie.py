"""A participant in a process of its own, which a test may stop between a record and its handling.

`python -m tests.service.zombie BOOTSTRAP DATABASE NUMBER [unprotected]` says `ready` when it has an
event, and `handled` when it has handled it, two seconds later. `unprotected`, it has no inbox.
"""

from __future__ import annotations

import asyncio
import sys
import uuid
from typing import Any

from sqlalchemy import insert

from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.kafka_settings import KafkaSettings
from orchestrator.messaging.record import Record
from orchestrator.service import Service
from orchestrator.service.events import Events
from tests.chaos import without
from tests.service.conftest import Shop, reservations

#: Seconds after which a process that stands still has lost its partitions.
SESSION = 2.0


def settling(service: Service) -> None:
    """A handler that leaves a row for each time that it runs."""

    @service.on("orders.Settled")
    async def settled(event: Any, session: Any) -> None:
        await session.execute(insert(reservations).values(id=f"{event.sku} {uuid.uuid4()}"))


async def main(bootstrap: str, url: str, number: str, protection: str = "protected") -> None:
    """Serves until it is killed."""
    if protection == "unprotected":
        without.go(["inbox"])
    handle = Events.handle

    async def slowly(self: Events, record: Record) -> None:
        print("ready", flush=True)
        await asyncio.sleep(2)
        await handle(self, record)
        print("handled", flush=True)

    Events.handle = slowly  # type: ignore[method-assign]
    settings = KafkaSettings(bootstrap=bootstrap, session_timeout=SESSION)
    async with KafkaBus(settings) as bus:
        shop = Shop(bus, url, int(number), "replies")
        settling(shop.service)
        await shop.service.serve(bus, url, stop=asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
