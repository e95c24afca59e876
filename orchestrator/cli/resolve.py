"""`orchestrate resolve`."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.dlq.choosing import who
from orchestrator.cli.errors import CommandError, command
from orchestrator.cli.options import Environment, InstanceId, Json
from orchestrator.cli.output import print_json


@command
async def resolve(
    id: InstanceId,
    retry: Annotated[bool, typer.Option("--retry", help="Try it again.")] = False,
    skip: Annotated[bool, typer.Option("--skip", help="Take it for done and go on.")] = False,
    fail: Annotated[bool, typer.Option("--fail", help="Give it up.")] = False,
    env: Environment = None,
    json: Json = False,
) -> None:
    """Settles a saga that needs attention.

    It waits for a person since an undo, or a step, could not be done. The step's dead letter is
    settled with it.
    """
    from orchestrator.runtime.instances import Instances
    from orchestrator.runtime.letter_steps import settle_step

    chosen = [n for n, given in (("retry", retry), ("skip", skip), ("fail", fail)) if given]
    if len(chosen) != 1:
        raise typer.BadParameter("say one of --retry, --skip and --fail")
    async with Connections(env) as to:
        instances, database = Instances(await to.client()), await to.database()
        path = await instances.resolve(id, chosen[0])
        if path is None:
            raise CommandError(f"`{id}` does not need attention")
        await settle_step(database, id, path, chosen[0], who(None))
    if json:
        print_json({"id": id, "decision": chosen[0], "at": path})
    else:
        typer.echo(f"{id} goes on: {chosen[0]} {path}")
