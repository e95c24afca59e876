"""`orchestrate worker`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.errors import command
from orchestrator.cli.options import Environment, HealthPort

if TYPE_CHECKING:
    import asyncio

    from orchestrator.runtime.worker import SagaWorker
    from orchestrator.service.health import Probe


@command
async def worker(health: HealthPort = None, env: Environment = None) -> None:
    """Runs the deployed sagas until Ctrl-C; start as many as you like."""
    import asyncio
    from contextlib import AsyncExitStack

    from orchestrator.cli.logs import log_to_stderr
    from orchestrator.cli.signals import stop_event, unless
    from orchestrator.messaging.lag_watch import watch_lag
    from orchestrator.runtime import events, replies
    from orchestrator.runtime.worker import SagaWorker
    from orchestrator.service import Health

    stop = stop_event()
    async with Connections(env, "orchestrate-worker") as to, AsyncExitStack() as stack:
        settings = to.settings
        log_to_stderr(settings.log_format)
        client = await unless(stop, to.client())
        bus = await unless(stop, to.bus())
        database = await to.database()
        port = health if health is not None else settings.health_port
        asked = None if port is None else await stack.enter_async_context(Health(port))
        worker = SagaWorker(
            *(client, bus, database, settings.window, settings.code),
            events_per_run=settings.events_per_run,
            gap=settings.gap,
        )
        where = "" if asked is None else f"; http://127.0.0.1:{asked.port}/ready"
        typer.echo(f"worker started; Ctrl-C stops it{where}", err=True)
        if asked is None:
            await worker.run(stop)
            return
        asked.watch("worker", _readiness(worker, stop))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch_lag(to.kafka, [events.GROUP, replies.GROUP], stop))
            tasks.create_task(worker.run(stop))


def _readiness(worker: SagaWorker, stop: asyncio.Event) -> Probe:
    async def reasons() -> list[str]:
        if stop.is_set():
            return ["it is stopping"]
        return [] if worker.ready.is_set() else ["it has not loaded the deployed versions yet"]

    return reasons
