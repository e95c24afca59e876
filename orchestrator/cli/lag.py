"""`orchestrate lag`."""

from __future__ import annotations

from collections.abc import Sequence
from json import dumps
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.errors import command
from orchestrator.cli.options import Environment, Json
from orchestrator.cli.output import console, print_json

if TYPE_CHECKING:
    from rich.table import Table

    from orchestrator.messaging.lag import Lag

_STYLES = {"ok": "green", "warning": "yellow", "error": "red", "stalled": "red", "rewound": "cyan"}


@command
async def lag(
    group: Annotated[
        list[str] | None, typer.Option(help="Only this group; may be said more than once.")
    ] = None,
    topic: Annotated[
        list[str] | None, typer.Option(help="Only this topic; may be said more than once.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again.")] = False,
    every: Annotated[
        float, typer.Option(min=0.5, help="Seconds between two looks; one look is two.")
    ] = 3.0,
    warning: Annotated[
        float, typer.Option(min=0, help="Seconds that a message may wait without a warning.")
    ] = 60.0,
    error: Annotated[
        float, typer.Option(min=0, help="Seconds that it may wait without an error.")
    ] = 300.0,
    still: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds without progress after which a group has stalled."),
    ] = None,
    env: Environment = None,
    json: Json = False,
) -> None:
    """Says how far the groups are behind that read the deployed topics, in messages and seconds.
    With `--watch --json` each look is a line."""
    import asyncio

    from orchestrator.messaging.lag import LagMonitor, Limits

    patience = still if still is not None else 10.0 if watch else every
    monitor = LagMonitor(Limits(warning, error, patience))
    async with Connections(env) as to:
        # Of groups or topics that are named, whatever is there; else what sagas live from.
        topics = topic or (None if group else await to.topics())
        kafka = await to.lag()
        monitor.judge(await kafka.observe(topics, group))
        while True:
            await asyncio.sleep(every)
            _print(monitor.judge(await kafka.observe(topics, group)), json, watch)
            if not watch:
                return


def _print(found: Sequence[Lag], json: bool, watch: bool) -> None:
    if json and watch:
        typer.echo(dumps([each.as_dict() for each in found]))
    elif json:
        print_json([each.as_dict() for each in found])
    elif not found:
        typer.echo("no group reads these topics")
    else:
        out = console()
        if watch and out.is_terminal:
            out.clear()
        out.print(_table(found))


def _table(found: Sequence[Lag]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("group", "topic"):
        table.add_column(column, overflow="fold")
    for column in ("partition", "messages", "seconds"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for each in found:
        place = (each.group, each.topic, str(each.partition))
        size = (str(each.messages), f"{each.seconds:.1f}")
        status = Text(each.status.value, _STYLES[each.status.value])
        table.add_row(*(Text(c) for c in (*place, *size)), status)
    return table
