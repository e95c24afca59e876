"""`orchestrate start`."""

from __future__ import annotations

import json as json_module
from typing import Annotated

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.errors import command
from orchestrator.cli.jsontext import read_json_option
from orchestrator.cli.options import Environment, Json
from orchestrator.cli.output import print_json


@command
async def start(
    saga: Annotated[str, typer.Argument(help="The saga's name, as `PlaceOrder`.")],
    input: Annotated[
        str, typer.Option("--input", "-i", help="Its parameters: JSON, `@file`, or `-`.")
    ] = "{}",
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end.")] = False,
    env: Environment = None,
    json: Json = False,
) -> None:
    """Starts a saga. With --wait the exit status is 1 unless it completes."""
    given = read_json_option(input, "--input")
    from orchestrator.runtime.instances import Instances
    from orchestrator.runtime.starts import read_parameters, start_saga
    from orchestrator.runtime.versions import current_saga

    async with Connections(env) as to:
        client = await to.client()
        async with (await to.database()).reading() as session:
            served, plan = await current_saga(session, saga)
        parameters = read_parameters(plan, given, served.codec)
        id = await start_saga(client, served, plan, parameters, events=to.settings.events_per_run)
        if not wait:
            print_json({"id": id}) if json else typer.echo(id)
            return
        outcome = await Instances(client).outcome(id)
    if json:
        print_json({"id": id, **outcome.as_dict()})
    else:
        text = outcome.reason or json_module.dumps(outcome.result, ensure_ascii=False)
        typer.echo(f"{id} {outcome.status}: {text}")
    if outcome.status != "completed":
        raise typer.Exit(1)
