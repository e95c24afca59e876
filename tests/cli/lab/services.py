"""Does what a saga's key says: `slow…` answers late, `broken…` and `stuck…` fail, `silent…` never
answers, and what is `stuck` cannot be closed while `LAB_STUCK` names a file that is there."""

import asyncio
import os
from pathlib import Path

from orchestrator.service import Service

STUCK = Path(os.environ.get("LAB_STUCK", "/nowhere"))

lab = Service("lab", flow=Path(__file__).parent)


@lab.handles("Open")
async def open_door(command):
    return lab.messages.Opened(id=command.id)


@lab.handles("Close")
async def close_door(command):
    if "stuck" in command.id and STUCK.exists():  # noqa: ASYNC240 - a look is soon done
        raise RuntimeError(f"cannot close {command.id}")
    return lab.messages.Closed(id=command.id)


@lab.handles("Work")
async def work(command):
    if command.id.startswith("slow"):
        await asyncio.sleep(1.2)
    if command.id.startswith(("broken", "stuck")):
        raise lab.failures.Broken(id=command.id, why="as asked")
    if command.id.startswith("silent"):
        raise ValueError(f"cannot work with {command.note}")
    return lab.messages.Worked(id=command.id, answer=42)
