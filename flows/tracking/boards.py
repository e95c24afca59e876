"""Puts what was scanned on the boards of the depots: from topic to topic, exactly once, without a
database. `python boards.py localhost:9092` runs it until Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence

from dsl.model import TopicModel
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.envelope import from_record
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.record import Record

SCANS = TopicModel(name="tracking.scans", partitions=6)
BOARDS = TopicModel(name="tracking.boards", partitions=6)


async def line(record: Record) -> Sequence[Record]:
    """What a board shows of a scan; of other events nothing."""
    envelope = from_record(record)
    if envelope.type != "carrier.Scanned":
        return ()
    scan = json.loads(envelope.data)
    return [Record(BOARDS.name, scan["place"], f"{scan['parcel']} is here".encode())]


async def serve(bus: Bus, stop: asyncio.Event) -> None:
    """Runs until `stop` is set."""
    await bus.create_topics([SCANS, BOARDS])
    await bus.transform([SCANS.name], "boards", line, stop=stop)


async def main(bootstrap: str) -> None:
    """Runs on a Kafka."""
    async with KafkaBus(bootstrap) as bus:
        await serve(bus, asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
