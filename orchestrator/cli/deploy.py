"""`orchestrate deploy`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.errors import command
from orchestrator.cli.flows import load_flows
from orchestrator.cli.options import Environment, Json
from orchestrator.cli.output import print_json

if TYPE_CHECKING:
    from orchestrator.deploy.deploy import Deployed


@command
async def deploy(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of `.flow` files.")],
    env: Environment = None,
    json: Json = False,
) -> None:
    """Stores flows as versions and makes these current.

    What they need is created: topics, schedules, the store's tables.
    """
    loaded = load_flows(paths)
    from orchestrator.deploy.deploy import deploy as apply

    async with Connections(env) as to:
        client, bus, database = await to.client(), await to.bus(), await to.database()
        deployed = await apply(loaded, client, bus, database)
    if json:
        print_json([asdict(d) for d in deployed])
        return
    for line in describe(deployed):
        typer.echo(line)


def describe(deployed: Iterable[Deployed]) -> list[str]:
    """What a deployment did, in lines."""
    lines, topics, idle = [], dict[str, None](), list[str]()
    for d in deployed:
        state = "unchanged" if d.was == d.version else f"replaces {d.was}" if d.was else "new"
        sagas = f"  ({', '.join(d.sagas)})" if d.sagas else ""
        lines.append(f"{d.module}  version {d.version}  {state}{sagas}")
        lines += [f"  {change}" for change in d.schedules]
        topics |= dict.fromkeys(d.topics)
        idle += d.idle
    if topics:
        lines.append(f"created the topics {', '.join(topics)}")
    if idle:
        lines.append(f"checked, but run by nothing yet: {', '.join(idle)}")
    return lines
