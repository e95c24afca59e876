"""The inside of a helper process: it talks with its parent and ends with it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any


class Parent:
    """The process that started this one."""

    def __init__(self, lines: asyncio.StreamReader, voice: int) -> None:
        self._lines = lines
        self._voice = voice

    async def listen(self) -> dict[str, Any] | None:
        """What the parent asks next; None once it wants us to end, or is gone."""
        line = await self._lines.readline()
        question: dict[str, Any] | None = json.loads(line) if line else None
        return question

    def say(self, **answer: object) -> None:
        """Tells the parent."""
        os.write(self._voice, json.dumps(answer).encode() + b"\n")

    async def until_ended(self, work: Awaitable[object]) -> None:
        """Says that we are up, then returns when the parent wants us to end. Raises what ends the
        work before that."""
        task = asyncio.ensure_future(work)
        ended = asyncio.create_task(self.listen())
        self.say(now="up")
        await asyncio.wait((task, ended), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
            raise RuntimeError("the work ended before it was told to")


def play(role: Callable[[Parent, dict[str, Any]], Awaitable[None]]) -> None:
    """Runs a role with the configuration that the parent gave."""
    # Whatever prints, prints to the log: the real standard output is the line to the parent.
    voice = os.dup(1)
    os.dup2(2, 1)

    async def main() -> None:
        lines = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        await role(Parent(lines, voice), json.loads(sys.argv[1]))

    asyncio.run(main())
