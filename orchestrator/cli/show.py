"""`orchestrate show`."""

from __future__ import annotations

import json as json_module
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from orchestrator.cli.connections import Connections
from orchestrator.cli.errors import command
from orchestrator.cli.options import Environment, InstanceId, Json
from orchestrator.cli.output import console, line, print_json

if TYPE_CHECKING:
    from rich.table import Table

    from orchestrator.runtime.history import Course, Entry
    from orchestrator.runtime.instances import Detail


@command
async def show(id: InstanceId, env: Environment = None, json: Json = False) -> None:
    """Shows one instance: its steps, messages, attempts and result."""
    from orchestrator.runtime.instances import Instances
    from orchestrator.runtime.running import UnansweredError

    async with Connections(env) as to:
        detail = await Instances(await to.client()).show(id)
        if detail.course.encoded:
            with suppress(UnansweredError):  # its version is not stored here: as it came
                (await to.running(id)).read(detail.course)
    if json:
        print_json(_as_dict(detail))
        return
    out = console()
    instance, outcome = detail.instance, detail.outcome
    version = f"version {instance.version}, " if instance.version else ""
    took = f", took {instance.seconds:.1f}s" if instance.seconds is not None else ""
    started = f"{instance.started:%Y-%m-%d %H:%M:%S} UTC"
    line(out, f"{instance.id}  {instance.status}")
    runs = f" in {instance.runs} runs" if instance.runs > 1 else ""
    line(out, f"{version}started {started}{took}, {detail.course.events} history events{runs}\n")
    if instance.caller:
        line(out, f"called by {instance.caller}\n")
    out.print(_table(detail.course))
    if instance.attention:
        line(out, f"\nneeds attention: {instance.attention}")
        line(out, f"settle it: orchestrate resolve {instance.id} --retry|--skip|--fail")
    if outcome and outcome.status == "completed":
        line(out, f"\nresult: {json_module.dumps(outcome.result, ensure_ascii=False)}")
    elif outcome and outcome.reason:
        line(out, f"\n{outcome.status}: {outcome.reason}")


def _as_dict(detail: Detail) -> dict[str, object]:
    return {
        **detail.instance.as_dict(),
        "events": detail.course.events,
        "messages": [asdict(e) for e in detail.course.entries],
        "outcome": detail.outcome.as_dict() if detail.outcome else None,
    }


def _table(course: Course) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("step", "message", "attempts", "answer"):
        table.add_column(column, overflow="fold")
    for entry in course.entries:
        cells = (entry.path, entry.message, str(entry.attempts), _answer(entry))
        table.add_row(*(Text(c) for c in cells))
    return table


def _answer(entry: Entry) -> str:
    if entry.answer and entry.reason:
        return f"{entry.answer}, not to be used: {entry.reason}"
    return entry.answer or (f"{entry.status}: {entry.reason}" if entry.reason else entry.status)
