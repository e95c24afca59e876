"""A transformer in a process of its own, which a test may stop in the middle of a record.

`python -m tests.messaging.zombie BOOTSTRAP SOURCE TARGET GROUP [unfenced]` says `ready` when it has
begun its first record, and goes on with it half a second later. `unfenced`, each of its producers
has a transactional id of its own, so that no other one keeps it out.
"""

from __future__ import annotations

import asyncio
import sys
import uuid

from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.kafka_line import Line
from orchestrator.messaging.kafka_settings import KafkaSettings
from orchestrator.messaging.record import Record

#: Seconds after which a process that stands still has lost its partitions.
SESSION = 2.0


async def main(
    bootstrap: str, source: str, target: str, group: str, fenced: str = "fenced"
) -> None:
    """Runs until it is killed."""
    if fenced == "unfenced":
        Line.transactional_id = property(lambda _: uuid.uuid4().hex)  # type: ignore[assignment]

    async def transform(record: Record) -> list[Record]:
        print("ready", flush=True)
        await asyncio.sleep(0.5)
        return [Record(target, record.key, record.value + b" by the zombie")]

    settings = KafkaSettings(bootstrap=bootstrap, session_timeout=SESSION)
    async with KafkaBus(settings) as bus:
        await bus.transform([source], group, transform, stop=asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
