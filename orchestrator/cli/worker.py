"""`orchestrate worker`."""

from __future__ import annotations

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.errors import command
from orchestrator.cli.options import Environment


@command
async def worker(env: Environment = None) -> None:
    """Runs the deployed sagas until Ctrl-C; start as many as you like."""
    from orchestrator.cli.logs import log_to_stderr
    from orchestrator.cli.signals import stop_event, unless
    from orchestrator.runtime.worker import SagaWorker

    stop = stop_event()
    log_to_stderr()
    async with Connections(env) as to:
        client = await unless(stop, to.client())
        bus = await unless(stop, to.bus())
        database = await to.database()
        typer.echo("worker started; Ctrl-C stops it", err=True)
        settings = to.settings
        worker = SagaWorker(
            *(client, bus, database, settings.window, settings.code),
            events_per_run=settings.events_per_run,
            gap=settings.gap,
        )
        await worker.run(stop)
