"""A process that measures an empty workflow's rate: was the machine steady?"""

from __future__ import annotations

import uuid
from typing import Any

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.bench.loop import ClosedLoop
from tests.bench.role import Parent, play

_QUEUE = "bench.control"


@workflow.defn(name="bench.Empty", sandboxed=False)
class Empty:
    """Nothing: its rate is what the server and a worker can do at most."""

    @workflow.run
    async def run(self) -> None:
        """Ends at once."""


async def control(parent: Parent, config: dict[str, Any]) -> None:
    """Answers `in_flight`, `warm` and `seconds` with the rate, in workflows/s."""
    client = await Client.connect(config["temporal"])

    async def once() -> None:
        id = f"control/{uuid.uuid4()}"
        await client.execute_workflow("bench.Empty", id=id, task_queue=_QUEUE)

    async with Worker(
        client, task_queue=_QUEUE, workflows=[Empty], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        parent.say(now="up")
        while asked := await parent.listen():
            async with ClosedLoop(once, asked["in_flight"]) as loop:
                await loop.count(asked["warm"])
                parent.say(rate=await loop.count(asked["seconds"]) / asked["seconds"])


if __name__ == "__main__":
    play(control)
