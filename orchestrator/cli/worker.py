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

    from orchestrator.cli.alerts import alerting
    from orchestrator.cli.logs import log_to_stderr
    from orchestrator.cli.signals import stop_event, unless
    from orchestrator.messaging.lag_watch import LagWatch
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
        if asked is not None:
            asked.watch("worker", _readiness(worker, stop))
        watch = LagWatch(to.kafka, [events.GROUP, replies.GROUP])
        alerts = alerting(settings, watch, client)
        async with asyncio.TaskGroup() as tasks:
            if asked is not None or alerts is not None:
                tasks.create_task(watch.run(stop))
            if alerts is not None:
                tasks.create_task(alerts(stop))
            tasks.create_task(worker.run(stop))


def _readiness(worker: SagaWorker, stop: asyncio.Event) -> Probe:
    async def reasons() -> list[str]:
        if stop.is_set():
            return ["it is stopping"]
        if not worker.ready.is_set():
            return ["it has not loaded the deployed versions yet"]
        return [worker.waits] if worker.waits else []

    return reasons
