"""`orchestrate update`."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.errors import command
from orchestrator.cli.jsontext import read_json_option
from orchestrator.cli.options import Environment, Input, InstanceId, Json, OnceId
from orchestrator.cli.output import print_json


@command
async def update(
    id: InstanceId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The update, as `Reprice`.")],
    input: Input = "{}",
    once: OnceId = None,
    env: Environment = None,
    json: Json = False,
) -> None:
    """Changes a running saga by one of its updates.

    One that the saga refuses changes nothing; the exit status is 1.
    """
    given = read_json_option(input, "--input")
    async with Connections(env) as to:
        await (await to.running(id)).update(name, given, once)
    if json:
        print_json({"id": id, "update": name})
    else:
        typer.echo(f"{id} is changed: {name}")
