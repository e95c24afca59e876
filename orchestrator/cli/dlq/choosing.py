"""Which letters a command is about: options that all of them share."""

from __future__ import annotations

import getpass
import re
import socket
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.errors import CommandError

if TYPE_CHECKING:
    from orchestrator.store.letter_choice import Choice


_DURATION = re.compile(r"(\d+(\.\d+)?(ms|s|m|h|d))+")


class Disposition(StrEnum):
    """Why a message was given up."""

    POISON = "poison"
    REJECTED = "rejected"
    EXHAUSTED = "exhausted"


Ids = Annotated[
    list[int] | None, typer.Argument(metavar="[ID]…", help="Letters, as `list --each` shows them.")
]
Flow = Annotated[str | None, typer.Option(help="Only those of this module.")]
Topic = Annotated[str | None, typer.Option(help="Only those first read from this topic.")]
Type = Annotated[str | None, typer.Option(help="Only messages of this type.")]
Error = Annotated[str | None, typer.Option(help="Only this error: a class, or words of it.")]
Consumer = Annotated[str | None, typer.Option(help="Only those that this group gave up.")]
Key = Annotated[str | None, typer.Option(help="Only those of this key.")]
Saga = Annotated[str | None, typer.Option(metavar="ID", help="Only those of this saga.")]
Why = Annotated[Disposition | None, typer.Option("--disposition", help="Only those.")]
Since = Annotated[
    str | None, typer.Option(metavar="WHEN", help="Died since: `2h` ago, or `2026-01-31T12:00`.")
]
Until = Annotated[str | None, typer.Option(metavar="WHEN", help="Died before.")]
Everything = Annotated[bool, typer.Option("--all", help="All that wait.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would be, and do nothing.")]
By = Annotated[str | None, typer.Option(help="Who does it; by default, who is logged in.")]


def choose(
    ids: list[int] | None = None,
    flow: str | None = None,
    topic: str | None = None,
    type: str | None = None,
    error: str | None = None,
    consumer: str | None = None,
    key: str | None = None,
    saga: str | None = None,
    why: Disposition | None = None,
    since: str | None = None,
    until: str | None = None,
    states: tuple[str, ...] = (),
) -> Choice:
    """The choice that some options make. Raises typer.BadParameter."""
    from orchestrator.store.letter_choice import Choice

    return Choice(
        ids=tuple(ids or ()),
        states=states,
        flow=flow,
        topic=topic,
        type=type,
        error=error,
        consumer=consumer,
        key=key,
        saga_id=saga,
        disposition=None if why is None else why.value,
        since=None if since is None else _time(since, "--since"),
        until=None if until is None else _time(until, "--until"),
    )


def check_chosen(choice: Choice, everything: bool) -> None:
    """Nothing is done to all letters by leaving something out. Raises typer.BadParameter."""
    if choice.narrows == everything:
        raise typer.BadParameter("say which: ids or a filter, or --all")


def nothing(choice: Choice) -> CommandError:
    """The refusal where no letter is chosen."""
    if choice.ids and len(choice.ids) == 1:
        return CommandError(
            f"dead letter {choice.ids[0]} does not wait: `orchestrate dlq show {choice.ids[0]}`"
            " says what became of it"
        )
    return CommandError("no dead letter that waits matches: `orchestrate dlq list` shows them")


def who(by: str | None) -> str:
    """Who does something, for the audit."""
    if by:
        return by
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "somebody"
    return f"{name}@{socket.gethostname()}"


def _time(text: str, option: str) -> datetime:
    from dsl.literal import read_duration

    try:
        if _DURATION.fullmatch(text):
            return datetime.now(UTC) - read_duration(text)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{option}: neither a duration (`2h`, `1d`) nor a time (`2026-01-31T12:00`): {text}"
        ) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
