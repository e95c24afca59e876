"""`orchestrate dlq show`."""

from __future__ import annotations

import json as json_format
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.connections import Connections
from orchestrator.cli.errors import CommandError, command
from orchestrator.cli.options import Environment, Json
from orchestrator.cli.output import console, line, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.store.letters import Body, Deed, Letter

#: Bytes that are shown as hex; `--raw` has them all.
_SHOWN = 2048

_STACKTRACE = "kafka_dlt-exception-stacktrace"

LetterId = Annotated[int, typer.Argument(metavar="ID", help="As `dlq list --each` shows it.")]


@command
async def show_letter(
    id: LetterId,
    raw: Annotated[
        bool, typer.Option("--raw", help="The payload alone, as it is, to standard output.")
    ] = False,
    trace: Annotated[
        bool, typer.Option("--trace", help="With the stack trace of what it died of.")
    ] = False,
    env: Environment = None,
    json: Json = False,
) -> None:
    """Shows one dead letter: where it comes from, why it died, what it holds (as hex, when that is
    no text) and what was done to it."""
    from orchestrator.store import letters

    async with Connections(env) as to, (await to.database()).reading() as session:
        letter = await letters.find(session, id)
        if letter is None:
            raise CommandError(f"there is no dead letter {id}: `orchestrate dlq list --each`")
        body = (await letters.bodies(session, [id]))[id]
        before = await letters.before(session, letter)
        done = await letters.deeds(session, id)
    if raw:
        sys.stdout.flush()
        sys.stdout.buffer.write(body.value)
    elif json:
        print_json(_as_dict(letter, body, before, done))
    else:
        _print(letter, body, before, done, trace)


def _print(letter: Letter, body: Body, before: int, done: Sequence[Deed], with_trace: bool) -> None:
    out = console()
    for name, value in _facts(letter, before).items():
        if value not in (None, ""):
            line(out, f"{name + ':':<13}{value}")
    line(out, "\nheaders")
    for name, header in body.headers:
        if not name.startswith("kafka_dlt-"):
            line(out, f"  {name}: {header.decode('utf-8', 'backslashreplace')}")
    line(out, f"\npayload ({len(body.value)} bytes)")
    for text in _payload(body.value):
        line(out, f"  {text}")
    if with_trace and (trace := _trace(body)):
        line(out, "\nstack trace")
        for text in trace.splitlines():
            line(out, f"  {text}")
    if done:
        line(out, "\ndone")
        for deed in done:
            note = f" ({deed.note})" if deed.note else ""
            line(out, f"  {deed.at:%Y-%m-%d %H:%M:%S} {deed.deed} by {deed.who}{note}")


def _facts(letter: Letter, before: int) -> dict[str, Any]:
    place = None
    if letter.topic is not None:
        place = f"{letter.topic}[{letter.partition}]@{letter.offset}"
        if letter.partition is None:
            place = letter.topic
    behind = "letters wait" if before > 1 else "letter waits"
    return {
        "letter": letter.id,
        "state": letter.state,
        "why": letter.disposition,
        "error": letter.error,
        "message": letter.message,
        "place": letter.place,
        "died": f"{letter.died_at:%Y-%m-%d %H:%M:%S} UTC",
        "consumer": letter.consumer,
        "read from": place,
        "type": letter.type,
        "message id": letter.message_id,
        "key": letter.key,
        "order": f"{before} {behind} before it" if before else None,
        "holds": "its key: later messages of it wait" if letter.holds else None,
        "saga": letter.saga_id,
        "flow": letter.flow,
        "died after": letter.after_letter and f"the redrive of letter {letter.after_letter}",
        "kept at": f"{letter.letter_topic}[{letter.letter_partition}]@{letter.letter_offset}",
    }


def _payload(data: bytes) -> list[str]:
    """JSON indented, other text as it is, else hex."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return hex_lines(data[:_SHOWN]) + (["…"] if len(data) > _SHOWN else [])
    try:
        text = json_format.dumps(json_format.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        if not text.replace("\n", "").replace("\t", "").isprintable():
            return hex_lines(data[:_SHOWN])
    return text.splitlines()


def hex_lines(data: bytes) -> list[str]:
    """Sixteen bytes a line: their place, themselves, and those that are ASCII."""
    lines = []
    for start in range(0, len(data), 16):
        some = data[start : start + 16]
        shown = "".join(chr(b) if 32 <= b < 127 else "." for b in some)
        lines.append(f"{start:08x}  {some.hex(' '):<47}  {shown}")
    return lines


def _trace(body: Body) -> str:
    return next((v.decode("utf-8", "replace") for n, v in body.headers if n == _STACKTRACE), "")


def _as_dict(letter: Letter, body: Body, before: int, done: Sequence[Deed]) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(letter, name) for name in letter.__slots__}
    found["before_it"] = before
    found["headers"] = [
        [n, v.decode("utf-8", "backslashreplace")]
        for n, v in body.headers
        if not n.startswith("kafka_dlt-")
    ]
    try:
        found["payload"] = body.value.decode()
    except UnicodeDecodeError:
        found["payload"] = None
    found["hex"] = body.value.hex()
    found["trace"] = _trace(body)
    found["deeds"] = [{"deed": d.deed, "who": d.who, "at": d.at, "note": d.note} for d in done]
    return found
