"""`orchestrate dlq list`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.dlq.choosing import (
    Consumer,
    Error,
    Flow,
    Key,
    Saga,
    Since,
    Topic,
    Type,
    Until,
    Why,
    choose,
)
from orchestrator.cli.errors import command
from orchestrator.cli.options import Environment, Json
from orchestrator.cli.output import console, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.store.letter_choice import Choice
    from orchestrator.store.letters import Group, Letter


class Standing(StrEnum):
    """Which letters are shown."""

    OPEN = "open"
    WAITING = "waiting"
    EDITED = "edited"
    REDRIVING = "redriving"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"
    ANY = "any"


@command
async def list_letters(
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
    state: Annotated[
        Standing, typer.Option(help="`open` are those that wait for a person.")
    ] = Standing.OPEN,
    each: Annotated[bool, typer.Option("--each", help="Letters instead of groups.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many lines.")] = 50,
    after: Annotated[
        int, typer.Option(min=0, metavar="ID", help="With --each: those behind this letter.")
    ] = 0,
    env: Environment = None,
    json: Json = False,
) -> None:
    """Lists the dead letters that wait for a person, by the error that they died of and the place
    of that: messages that no consumer could handle, and steps that no attempt got an answer for."""
    from orchestrator.store import letters

    chosen = choose(
        None, flow, topic, type, error, consumer, key, saga, disposition, since, until, _of(state)
    )
    async with Connections(env) as to, (await to.database()).reading() as session:
        total = await letters.count(session, chosen)
        if each:
            page = await letters.page(session, chosen, after, limit)
        else:
            groups = await letters.groups(session, chosen, limit)
    if json:
        print_json([_letter(e) for e in page] if each else [_group(g) for g in groups])
    elif not total:
        typer.echo(_none(chosen))
    elif each:
        _print_letters(page)
        if page and len(page) == limit:
            typer.echo(f"{total} in all; more: --after {page[-1].id}")
    else:
        _print_groups(groups)
        typer.echo(f"{total} in all; `orchestrate dlq list --each` shows each")


def _of(state: Standing) -> tuple[str, ...]:
    from orchestrator.store.letters import OPEN

    if state is Standing.ANY:
        return ()
    return OPEN if state is Standing.OPEN else (state.value,)


def _none(choice: Choice) -> str:
    return "no dead letter matches" if choice.narrows else "no dead letters"


def _print_groups(groups: Sequence[Group]) -> None:
    columns = ("letters", "why", "error", "place", "consumer", "type", "last (UTC)", "e.g.")
    rows = [
        (
            str(g.count),
            g.disposition,
            short(g.error),
            g.place or "",
            g.consumer or "",
            g.type or "",
            f"{g.last:%Y-%m-%d %H:%M:%S}",
            str(g.example),
        )
        for g in groups
    ]
    _print(columns, rows)


def _print_letters(page: Sequence[Letter]) -> None:
    columns = ("id", "state", "why", "error", "consumer", "type", "key", "died (UTC)")
    rows = [
        (
            str(e.id),
            e.state,
            e.disposition,
            short(e.error),
            e.consumer or "",
            e.type or "",
            e.key or "",
            f"{e.died_at:%Y-%m-%d %H:%M:%S}",
        )
        for e in page
    ]
    _print(columns, rows)


def _print(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in ("id", "letters"))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console().print(table)


def short(error: str | None) -> str:
    """A class without its module."""
    return (error or "").rpartition(".")[2]


def _letter(letter: Letter) -> dict[str, Any]:
    return {name: getattr(letter, name) for name in letter.__slots__ if name != "message"}


def _group(group: Group) -> dict[str, Any]:
    return {name: getattr(group, name) for name in group.__slots__}
