"""`orchestrate dlq redrive`."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

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

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from orchestrator.runtime.redrive import Report
    from orchestrator.store.letter_choice import Choice

#: What a participant's inbox remembers by default: older ones may have their effect twice.
_REMEMBERED = timedelta(days=14)


@command
async def redrive(
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
    rate: Annotated[
        float, typer.Option(min=0, help="At most so many letters a second; 0 is no limit.")
    ] = 100.0,
    failures: Annotated[
        int, typer.Option(min=1, help="Stop when so many of them have died again.")
    ] = 1,
    settle: Annotated[
        float, typer.Option(min=0, help="Seconds to see whether the last ones die again.")
    ] = 5.0,
    by: By = None,
    env: Environment = None,
    json: Json = False,
) -> None:
    """Sends dead letters again, in their order, to the consumer that gave them up; under their
    ids, so that what was done all the same is not done twice. A saga's step is tried again by its
    saga, if that still waits for it."""
    from orchestrator.store.letters import OPEN

    chosen = choose(
        ids, flow, topic, type, error, consumer, key, saga, disposition, since, until, OPEN
    )
    check_chosen(chosen, everything)
    async with Connections(env) as to:
        async with (await to.database()).reading() as session:
            total, steps, old = await _counted(session, chosen)
        if not total:
            raise nothing(chosen)
        if dry_run:
            would = {"redrive": total, "steps": steps, "old": old}
            print_json(would) if json else typer.echo(f"would redrive {_letters(total)}")
            return
        if old and not json:
            typer.echo(
                f"warning: {_letters(old)} died more than {_REMEMBERED.days} days ago, and"
                " a consumer may have forgotten their ids",
                err=True,
            )
        report = await _redriven(to, chosen, total - steps, steps, rate, failures, settle, who(by))
    if json:
        print_json(report.as_dict())
    else:
        _print(report, settle)
    if report.stopped or report.refused or not report.redriven:
        raise typer.Exit(1)


async def _counted(session: AsyncSession, chosen: Choice) -> tuple[int, int, int]:
    """How many are chosen, how many of these are sagas' steps, and how many are old."""
    from orchestrator.messaging.deadletter import STEPS
    from orchestrator.store import letters

    total = await letters.count(session, chosen)
    steps = 0
    if chosen.consumer in (None, STEPS):
        steps = await letters.count(session, replace(chosen, consumer=STEPS))
    before = datetime.now(UTC) - _REMEMBERED
    if chosen.until is not None:
        before = min(before, chosen.until)
    return total, steps, await letters.count(session, replace(chosen, until=before))


async def _redriven(
    to: Connections,
    chosen: Choice,
    messages: int,
    steps: int,
    rate: float,
    failures: int,
    settle: float,
    by: str,
) -> Report:
    from orchestrator.runtime.redrive import Redrive

    async def cannot(_: Any) -> str | None:
        return "a step's letter came meanwhile"

    retry: Any = cannot
    if steps:
        from orchestrator.runtime.instances import Instances
        from orchestrator.runtime.letter_steps import retry_by

        retry = retry_by(Instances(await to.client()))
    bus = await to.bus() if messages else None
    run = Redrive(
        await to.database(),
        bus,
        retry,
        run=uuid.uuid4().hex[:12],
        who=by,
        rate=rate,
        failures=failures,
        settle=settle,
    )
    return await run.run(chosen)


def _print(report: Report, settle: float) -> None:
    typer.echo(f"redriven {_letters(report.redriven)} (run {report.run})")
    for reason, count in report.refused.most_common():
        typer.echo(f"left {_letters(count)} as it was: {reason}", err=True)
    if report.stopped:
        typer.echo(
            f"stopped: {report.stopped} ({report.died_again} so far); the others wait as before",
            err=True,
        )
    elif not report.redriven and not report.refused:
        typer.echo("somebody else is redriving them", err=True)
    elif report.redriven and settle:
        again = report.died_again
        typer.echo(f"{'none has' if not again else f'{again} have'} died again within {settle:g}s")


def _letters(count: int) -> str:
    return "1 letter" if count == 1 else f"{count} letters"
