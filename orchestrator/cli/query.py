"""`orchestrate query`."""

from __future__ import annotations

import json as json_module
from typing import Annotated

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.errors import command
from orchestrator.cli.options import Environment, InstanceId, Json
from orchestrator.cli.output import print_json


@command
async def query(
    id: InstanceId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The query, as `state`.")],
    env: Environment = None,
    json: Json = False,
) -> None:
    """Asks a saga one of its queries, and prints the answer as JSON. One that has ended answers,
    too."""
    async with Connections(env) as to:
        value = await (await to.running(id)).query(name)
    if json:
        print_json({"id": id, "query": name, "value": value})
    else:
        typer.echo(json_module.dumps(value, ensure_ascii=False))
