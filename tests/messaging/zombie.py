"""A transformer in a process of its own, which a test may stop in the middle of a record.

`python -m tests.messaging.zombie BOOTSTRAP SOURCE TARGET GROUP` says `ready` when it has begun its
first record, and goes on with it half a second later.
"""

from __future__ import annotations

import asyncio
import sys

from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.record import Record


async def main(bootstrap: str, source: str, target: str, group: str) -> None:
    """Runs until it is killed."""

    async def transform(record: Record) -> list[Record]:
        print("ready", flush=True)
        await asyncio.sleep(0.5)
        return [Record(target, record.key, record.value + b" by the zombie")]

    async with KafkaBus(bootstrap) as bus:
        await bus.transform([source], group, transform, stop=asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
