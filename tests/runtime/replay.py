"""Replays recorded histories."""

from __future__ import annotations

from temporalio.client import WorkflowExecutionStatus
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from orchestrator.compile.stored import read_plan
from orchestrator.runtime.occurrences import OccurrenceWorkflow
from orchestrator.runtime.workflow import workflow_classes
from orchestrator.store import versions
from tests.runtime.world import World


async def replay_all(world: World) -> int:
    """Replays every saga of a world against the version it ran on, and returns how many there
    were. Raises what a replay that differs raises."""
    async with world.database.reading() as session:
        stored = {v.version: read_plan(v.plan) for v in await versions.versions(session)}
    replayers = {
        version: Replayer(
            workflows=[*workflow_classes(plan), OccurrenceWorkflow],
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        for version, plan in stored.items()
    }
    count = 0
    async for found in world.client.list_workflows(f'TaskQueue = "{world.name}"'):
        handle = world.client.get_workflow_handle(found.id, run_id=found.run_id)
        described = await handle.describe()
        build = described.raw_info.versioning_info.deployment_version.build_id
        if not build and described.status is WorkflowExecutionStatus.RUNNING:
            continue  # just started: no worker has looked at it
        assert build, f"{found.id} {found.status} has no version: {described.raw_info}"
        await replayers[build].replay_workflow(await handle.fetch_history())
        count += 1
    return count
