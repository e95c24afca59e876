"""`orchestrate service`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.errors import CommandError, command
from orchestrator.cli.options import Environment, HealthPort

if TYPE_CHECKING:
    from orchestrator.service import Service


@command
async def service(
    file: Annotated[Path, typer.Argument(help="A Python file with `Service` objects.")],
    only: Annotated[
        list[str] | None, typer.Option(help="Only this service; may be said more than once.")
    ] = None,
    health: HealthPort = None,
    drain: Annotated[
        float, typer.Option(min=0, help="Seconds for what is under way when it stops.")
    ] = 20.0,
    env: Environment = None,
) -> None:
    """Runs participants until Ctrl-C or SIGTERM; a second one does not wait for what is under
    way."""
    import asyncio
    from contextlib import AsyncExitStack

    from orchestrator.cli.alerts import alerting
    from orchestrator.cli.logs import log_to_stderr
    from orchestrator.cli.participants import database_urls, read_services
    from orchestrator.cli.signals import stop_event, unless
    from orchestrator.messaging.lag_watch import LagWatch
    from orchestrator.service import Health
    from orchestrator.service.reaction import reaction_group

    services = _chosen(read_services(file), only, file)
    stop = stop_event()
    async with Connections(env, "-".join(services)) as to:
        log_to_stderr(to.settings.log_format)
        bus = await unless(stop, to.bus())
        urls = database_urls(to.settings, services)
        async with AsyncExitStack() as stack:
            port = health if health is not None else to.settings.health_port
            asked = None if port is None else await stack.enter_async_context(Health(port))
            where = "" if asked is None else f"; http://127.0.0.1:{asked.port}/ready"
            typer.echo(f"serving {', '.join(services)}; Ctrl-C stops{where}", err=True)
            watch = LagWatch(to.kafka, [*services, *map(reaction_group, services)])
            alerts = alerting(to.settings, watch)
            async with asyncio.TaskGroup() as tasks:
                if asked is not None or alerts is not None:
                    tasks.create_task(watch.run(stop))
                if alerts is not None:
                    tasks.create_task(alerts(stop))
                for name, each in services.items():
                    tasks.create_task(
                        each.serve(bus, urls[name], stop=stop, drain=drain, health=asked)
                    )


def _chosen(services: dict[str, Service], only: list[str] | None, file: Path) -> dict[str, Service]:
    for name in only or ():
        if name not in services:
            known = ", ".join(f"`{n}`" for n in services)
            raise CommandError(f"{file} has no service `{name}`, it has {known}")
    return {n: s for n, s in services.items() if not only or n in only}
