"""`orchestrate cancel`."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.errors import CommandError, command
from orchestrator.cli.options import Environment, InstanceId, Json
from orchestrator.cli.output import print_json


@command
async def cancel(
    id: InstanceId,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all is undone.")] = False,
    env: Environment = None,
    json: Json = False,
) -> None:
    """Cancels a saga: what it did is undone, last first.

    With --wait the exit status is 1 when it ends in another way after all.
    """
    from orchestrator.runtime.instances import Instances

    async with Connections(env) as to:
        instances = Instances(await to.client())
        status = await instances.cancel(id)
        if status is not None:
            raise CommandError(f"`{id}` has ended already: {status}")
        if not wait:
            print_json({"id": id}) if json else typer.echo(f"{id} is being cancelled")
            return
        outcome = await instances.outcome(id)
    if json:
        print_json({"id": id, **outcome.as_dict()})
    else:
        typer.echo(f"{id} {outcome.status}" + (f": {outcome.reason}" if outcome.reason else ""))
    if outcome.status != "cancelled":
        raise typer.Exit(1)
