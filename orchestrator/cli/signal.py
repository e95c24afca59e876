"""`orchestrate signal`."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.errors import command
from orchestrator.cli.jsontext import read_json_option
from orchestrator.cli.options import Environment, Input, InstanceId, Json, OnceId
from orchestrator.cli.output import print_json


@command
async def signal(
    id: InstanceId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The signal, as `Approve`.")],
    input: Input = "{}",
    once: OnceId = None,
    env: Environment = None,
    json: Json = False,
) -> None:
    """Sends a running saga one of its signals."""
    given = read_json_option(input, "--input")
    async with Connections(env) as to:
        await (await to.running(id)).signal(name, given, once)
    if json:
        print_json({"id": id, "signal": name})
    else:
        typer.echo(f"{id} was sent {name}")
