"""`orchestrate dlq edit`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.dlq.choosing import By, nothing, who
from orchestrator.cli.dlq.show import LetterId
from orchestrator.cli.errors import CommandError, command
from orchestrator.cli.jsontext import read_json_bytes
from orchestrator.cli.options import Environment, Json
from orchestrator.cli.output import print_json

if TYPE_CHECKING:
    from orchestrator.runtime.letter_contracts import Contract
    from orchestrator.runtime.letter_edits import Edited

_KEPT = "`--force` keeps it all the same"


@command
async def edit(
    id: LetterId,
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", help="The new payload: its JSON, `@file`, or `-`."),
    ] = None,
    hex: Annotated[str | None, typer.Option("--hex", help="The new payload's bytes.")] = None,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", metavar="NAME=VALUE", help="A header; without VALUE, none."),
    ] = None,
    key: Annotated[str | None, typer.Option(help="The new key.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Keep what its contract does not allow.")
    ] = False,
    by: By = None,
    env: Environment = None,
    json: Json = False,
) -> None:
    """Changes what a dead letter holds, to be redriven. It is another message then: with an id of
    its own, and the old one as its cause."""
    from orchestrator.messaging.deadletter import STEPS
    from orchestrator.runtime.letter_contracts import find_contract
    from orchestrator.runtime.letter_edits import edited, store
    from orchestrator.store import letters

    if data is None and hex is None and not header and key is None:
        raise typer.BadParameter("say what is new: --data, --hex, --header or --key")
    async with Connections(env) as to:
        database = await to.database()
        async with database.reading() as session:
            letter = await letters.find(session, id)
            if letter is None:
                raise CommandError(f"there is no dead letter {id}: `orchestrate dlq list --each`")
            if letter.consumer == STEPS:
                raise CommandError(
                    f"dead letter {id} is a saga's step: the saga makes its command anew; "
                    f"`orchestrate dlq redrive {id}` has it try again"
                )
            body = (await letters.bodies(session, [id]))[id]
            changed = edited(letter, body, _headers(header or []), key)
            contract = await find_contract(session, changed.type)
        _payload(changed, data, hex, contract)
        _check(changed, contract, force)
        async with database.transaction() as session:
            if not await store(session, letter, body, changed, who(by)):
                raise nothing_waits(id)
    if json:
        print_json({"id": id, "message_id": changed.id, "type": changed.type})
    else:
        unchecked = "" if contract else " (no deployed contract to check it by)"
        typer.echo(f"letter {id} is now message {changed.id}{unchecked}")
        typer.echo(f"send it: orchestrate dlq redrive {id}")


def nothing_waits(id: int) -> CommandError:
    """The refusal of a letter that is settled."""
    from orchestrator.store.letter_choice import Choice

    return nothing(Choice(ids=(id,)))


def _headers(given: list[str]) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    for each in given:
        name, mark, value = each.partition("=")
        if not name or not mark:
            raise typer.BadParameter(f"--header takes NAME=VALUE, not {each!r}")
        found[name] = value.encode() if value else None
    return found


def _payload(changed: Edited, data: str | None, hex: str | None, contract: Contract | None) -> None:
    if data is not None and hex is not None:
        raise typer.BadParameter("either --data or --hex")
    if hex is not None:
        try:
            changed.value = bytes.fromhex(hex)
        except ValueError:
            raise typer.BadParameter("--hex takes pairs of hexadecimal digits") from None
    elif data is not None:
        _write(changed, _bytes(data), contract)


def _write(changed: Edited, given: bytes, contract: Contract | None) -> None:
    """JSON, put into the format that the contract has; where there is none, bytes as they are."""
    from orchestrator.messaging.codec import CodecError

    changed.value = given
    if contract is None:
        return
    wire = read_json_bytes(given, "--data")
    try:
        changed.value, changed.content_type = contract.write(wire)
    except CodecError:
        return  # said by the check


def _bytes(data: str) -> bytes:
    if data == "-":
        return sys.stdin.buffer.read()
    if not data.startswith("@"):
        return data.encode()
    try:
        return Path(data[1:]).read_bytes()
    except OSError as error:
        raise CommandError(f"{data[1:]} cannot be read: {error.strerror}") from None


def _check(changed: Edited, contract: Contract | None, force: bool) -> None:
    from orchestrator.messaging.codec import CodecError
    from orchestrator.messaging.envelope import EnvelopeError, from_record

    if force:
        return
    try:
        envelope = from_record(changed.record())
        if contract is not None:
            contract.check(envelope.data, envelope.content_type)
    except (EnvelopeError, CodecError) as error:
        raise CommandError(f"it could still not be read: {error}; {_KEPT}") from None
