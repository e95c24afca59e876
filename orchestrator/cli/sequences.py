"""`orchestrate sequences`: what is missing among numbered events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.errors import CommandError, command
from orchestrator.cli.options import Environment, Json
from orchestrator.cli.output import console, print_json

if TYPE_CHECKING:
    from orchestrator.store.database import Database
    from orchestrator.store.gaps import Gap
    from orchestrator.store.sequences import Sequences

sequences = typer.Typer(
    help="Shows what is missing among numbered events, and goes on without it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Service = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Those that this participant handles, not the sagas'."),
]
_NUMBERS = 2**63


@sequences.command("list", epilog="Example: orchestrate sequences list --service notices")
@command
async def list_sequences(
    event: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this event: `service.Event`.")
    ] = None,
    service: Service = None,
    whole: Annotated[
        bool, typer.Option("--all", help="Those in which nothing is missing, too.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the last to move.")] = 50,
    env: Environment = None,
    json: Json = False,
) -> None:
    """Lists the keys whose numbered events wait for one that has not come, or are in the dead
    letters because it did not."""
    from orchestrator.store.gaps import listed

    async with _opened(env, service) as (database, tables, consumer), database.reading() as session:
        found = await listed(session, tables, consumer, type=event, whole=whole, limit=limit)
    if json:
        print_json([g.as_dict() for g in found])
    elif not found:
        typer.echo("no numbered events" if whole else "nothing is missing")
    else:
        _show(found)


@sequences.command("skip", epilog="Example: orchestrate sequences skip carrier.Scanned p1 --to 4")
@command
async def skip_missing(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="`service.Event`.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key whose event is missing.")],
    to: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=_NUMBERS - 1,
            help="The number that is next; without it the first that waits, else the one behind"
            " the missing one.",
        ),
    ] = None,
    service: Service = None,
    env: Environment = None,
    json: Json = False,
) -> None:
    """Says that an event will not come: its key goes on behind it. Dead letters are not sent again
    by that."""
    from orchestrator.store.gaps import skip
    from orchestrator.store.sequences import Stream

    async with (
        _opened(env, service) as (database, tables, consumer),
        database.transaction() as session,
    ):
        found = await skip(session, tables, Stream(consumer, event, key), to)
    if json:
        print_json(found.as_dict())
    else:
        typer.echo(f"event {found.next} of `{event}` with the key `{key}` is next")


@asynccontextmanager
async def _opened(
    env: str | None, service: str | None
) -> AsyncIterator[tuple[Database, Sequences, str]]:
    """The tables that hold the order, and whose it is. Raises CommandError, StoreError."""
    from orchestrator.runtime.events import GROUP
    from orchestrator.service.reaction import reaction_group
    from orchestrator.store.sequences import orchestrator, participant

    async with Connections(env) as to:
        if service is None:
            yield await to.database(), orchestrator, GROUP
            return
        async with _participants(to, service) as database:
            yield database, participant, reaction_group(service)


@asynccontextmanager
async def _participants(to: Connections, service: str) -> AsyncIterator[Database]:
    from orchestrator.store.database import Database
    from orchestrator.store.migrate import migrate

    url = to.settings.services_database
    if url is None:
        file = to.settings.data.absolute() / "services" / f"{service}.db"
        if "/" in service or not file.is_file():
            raise CommandError(
                f"no service `{service}` has run here: there is no {file};"
                " for another database set ORCHESTRATE_SERVICES_DATABASE"
            )
    async with Database(f"sqlite:///{file}" if url is None else url.get_secret_value()) as opened:
        await migrate(opened.engine, "participant")
        yield opened


def _show(found: list[Gap]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("event", "key", "next", "behind it", "moved (UTC)"):
        table.add_column(column, no_wrap=column == "event", overflow="fold")
    for gap in found:
        moved = f"{gap.moved_at:%Y-%m-%d %H:%M:%S}"
        next = "?" if gap.next is None else str(gap.next)
        cells = (gap.stream.type, gap.stream.key, next, _behind(gap), moved)
        table.add_row(*(Text(c) for c in cells))
    console().print(table)


def _behind(gap: Gap) -> str:
    if gap.waiting == 1:
        return f"{gap.first_waiting} waits"
    if gap.waiting:
        return f"{gap.waiting} wait, from {gap.first_waiting} on"
    return "" if gap.given_up is None else f"given up to {gap.given_up}"
