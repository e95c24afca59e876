"""What records are transformed to: keys side by side, the outputs in the order of the records."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from orchestrator.messaging.bus import Transform
from orchestrator.messaging.record import Record, TopicPartition


async def outputs_of(transform: Transform, records: Sequence[Record]) -> list[Record]:
    """All outputs of these records; those without a key have no order. Raises what `transform`
    raises, when the others have ended."""
    lanes: dict[tuple[TopicPartition | None, str | int], list[int]] = {}
    for place, record in enumerate(records):
        lane = record.key if record.key is not None else place
        found = None if record.partition is None else (record.topic, record.partition)
        lanes.setdefault((found, lane), []).append(place)
    outputs: list[Sequence[Record]] = [()] * len(records)

    async def run(places: list[int]) -> None:
        for place in places:
            outputs[place] = await transform(records[place])

    ended = await asyncio.gather(*(run(p) for p in lanes.values()), return_exceptions=True)
    for error in ended:
        if error is not None:
            raise error
    return [record for each in outputs for record in each]
