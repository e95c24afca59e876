"""A participant in a process of its own, for `test_saga_once.py`: it dies while it rings the first
bell, and another one of it goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from orchestrator.cli.signals import stop_event
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.service import Service

SERVICE = "oncebell"


async def main(flow: Path, kafka: str, database: str, heard: Path, mine: str) -> None:
    """Serves until it is told to stop; `heard` gets a line for each command of the key `mine` that
    is handled."""
    bell = Service(SERVICE, flow)

    def hear(text: str, key: str) -> bool:
        """Whether it is the first."""
        if key != mine:
            return False
        first = not heard.exists()
        with heard.open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")
        return first

    @bell.handles("Ring")
    async def ring(command: Any) -> Any:
        if hear("ring", command.id):
            os.kill(os.getpid(), signal.SIGKILL)
        return bell.messages.Rung(id=command.id, ref="ding")

    @bell.handles("Hush")
    async def hush(command: Any) -> Any:
        hear("hush", command.id)
        return bell.messages.Hushed(id=command.id)

    stop = stop_event()
    async with KafkaBus(kafka) as bus:
        await bell.serve(bus, database, stop=stop)


if __name__ == "__main__":
    _, flow, kafka, database, heard, mine = sys.argv
    asyncio.run(main(Path(flow), kafka, database, Path(heard), mine))
