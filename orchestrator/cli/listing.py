"""`orchestrate list`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.errors import command
from orchestrator.cli.options import Environment, Json
from orchestrator.cli.output import console, print_json


class Status(StrEnum):
    """A saga's state, as Temporal knows it."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDONE = "undone"


@command
async def list_sagas(
    saga: Annotated[str | None, typer.Option(help="Only instances of this saga.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only those in this state.")] = None,
    attention: Annotated[
        bool, typer.Option("--attention", help="Only those that need a person.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the last to end.")] = 50,
    env: Environment = None,
    json: Json = False,
) -> None:
    """Lists the sagas' instances, the newest first."""
    from rich.table import Table
    from rich.text import Text

    from orchestrator.runtime.instances import Instances

    async with Connections(env) as to:
        found = await Instances(await to.client()).list(saga, status, attention, limit)
    # Temporal's own order is by end.
    found.sort(key=lambda i: i.started, reverse=True)
    if json:
        print_json([i.as_dict() for i in found])
        return
    if not found:
        typer.echo("no sagas")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("id", "status", "started (UTC)", "took"):
        table.add_column(column, no_wrap=column == "id", overflow="fold")
    for instance in found:
        state = f"needs attention: {instance.attention}" if instance.attention else instance.status
        took = f"{instance.seconds:.1f}s" if instance.seconds is not None else ""
        started = f"{instance.started:%Y-%m-%d %H:%M:%S}"
        table.add_row(*(Text(c) for c in (instance.id, state, started, took)))
    console().print(table)
