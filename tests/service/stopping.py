"""A participant in a process of its own, for `test_stopping.py`: it serves one slow command, says
what happens, and ends as `orchestrate service` does."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from orchestrator.cli.signals import stop_event
from orchestrator.messaging.envelope import from_record
from orchestrator.messaging.memory import MemoryBus
from orchestrator.service import Service
from tests.service.conftest import Shop


def say(text: str) -> None:
    """For the test."""
    print(text, flush=True)


async def main(url: str, seconds: float, drain: float) -> None:
    """Serves until it is told to stop."""
    stop = stop_event()
    async with MemoryBus() as bus:
        shop = Shop(bus, url, 0, "replies")
        service: Service = shop.service

        @service.handles("ReserveStock")
        async def reserve(command: Any, context: Any) -> Any:
            say("handling")
            await asyncio.sleep(seconds)
            context.publish(service.messages.StockLow(order_id=command.order_id, sku="a", left=1))
            return service.messages.StockReserved(order_id=command.order_id, reservation_id="r1")

        await bus.create_topics(shop.topics)
        tap = await bus.tap([shop.replies, shop.events])
        for id in ("one", "two"):  # of one key: the second waits for the first
            await shop.send(shop.command(id))
        try:
            await service.serve(bus, url, stop=stop, drain=drain)
        finally:
            sent = [from_record(r).id for r in await tap.poll(10, 0.1)]
            say(f"sent {' '.join(sorted(sent))}")
    say("stopped")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
