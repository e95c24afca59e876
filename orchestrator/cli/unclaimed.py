"""`orchestrate unclaimed`."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.errors import command
from orchestrator.cli.options import Environment, Json
from orchestrator.cli.output import console, print_json


@command
async def unclaimed_events(
    saga: Annotated[str | None, typer.Option(help="Only events for this saga.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the last to come.")] = 50,
    env: Environment = None,
    json: Json = False,
) -> None:
    """Lists the events that came for sagas which were not there: not started yet, or ended. A saga
    that is started later takes its own when it waits for them; the others are kept for 14 days."""
    from rich.table import Table
    from rich.text import Text

    from orchestrator.store.unclaimed import listed

    async with Connections(env) as to, (await to.database()).reading() as session:
        found = await listed(session, saga, limit)
    if json:
        print_json([e.as_dict() for e in found])
        return
    if not found:
        typer.echo("no unclaimed events")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("saga", "event", "id", "came (UTC)"):
        table.add_column(column, no_wrap=column == "saga", overflow="fold")
    for event in found:
        came = f"{event.received_at:%Y-%m-%d %H:%M:%S}"
        cells = (event.saga_id, event.type, event.event_id, came)
        table.add_row(*(Text(c) for c in cells))
    console().print(table)
