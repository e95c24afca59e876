"""`orchestrate dlq discard`."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Annotated

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.dlq.choosing import (
    By,
    Consumer,
    DryRun,
    Error,
    Everything,
    Flow,
    Ids,
    Key,
    Saga,
    Since,
    Topic,
    Type,
    Until,
    Why,
    check_chosen,
    choose,
    nothing,
    who,
)
from orchestrator.cli.errors import command
from orchestrator.cli.options import Environment, Json
from orchestrator.cli.output import print_json


@command
async def discard(
    ids: Ids = None,
    flow: Flow = None,
    topic: Topic = None,
    type: Type = None,
    error: Error = None,
    consumer: Consumer = None,
    key: Key = None,
    saga: Saga = None,
    disposition: Why = None,
    since: Since = None,
    until: Until = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    reason: Annotated[str | None, typer.Option(help="Why, for who asks later.")] = None,
    by: By = None,
    env: Environment = None,
    json: Json = False,
) -> None:
    """Settles dead letters without sending them: nobody waits for them any more, and later messages
    of their keys go on. They stay to be seen (`dlq list --state discarded`)."""
    from orchestrator.runtime.discard import discard_letters
    from orchestrator.store import letters

    chosen = choose(
        *(ids, flow, topic, type, error, consumer, key, saga, disposition, since, until),
        letters.OPEN,
    )
    check_chosen(chosen, everything)
    async with Connections(env) as to:
        database = await to.database()
        async with database.reading() as session:
            total = await letters.count(session, chosen)
            holding = await letters.count(session, replace(chosen, holds=True))
        if not total:
            raise nothing(chosen)
        if not dry_run:
            # Who waits behind them has to be told.
            bus = await to.bus() if holding else None
            run = uuid.uuid4().hex[:12]
            total = await discard_letters(database, bus, chosen, run, who(by), reason)
    if json:
        print_json({"discard" if dry_run else "discarded": total})
    else:
        many = "1 letter" if total == 1 else f"{total} letters"
        typer.echo(f"would discard {many}" if dry_run else f"discarded {many}")
