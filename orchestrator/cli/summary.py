"""What `orchestrate dev --run` prints in the end: how the sagas ended, and the services' books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.table import Table
from rich.text import Text

from orchestrator.runtime.instances import Outcome
from orchestrator.runtime.watch import Followed, Seen
from orchestrator.runtime.wire import is_undo


def outcomes(ends: Mapping[str, Outcome], sagas: Mapping[str, Followed]) -> Table:
    """How many sagas ended in which way. Those are one way that failed at the same step, by the
    same answer, and undid the same; the reason is the first one's."""
    ways: dict[tuple[str, ...], list[str]] = {}
    for id, outcome in ends.items():
        course = sagas.get(id, Followed())
        ways.setdefault((outcome.status, *_failures(course), _undone(course)), []).append(id)
    table = _table("outcomes")
    table.add_column("sagas", justify="right")
    for column in ("end", "reason", "undone, in this order"):
        table.add_column(column)
    for ids in sorted(ways.values(), key=len, reverse=True):
        end = ends[ids[0]]
        undone = _undone(sagas.get(ids[0], Followed()))
        nothing = "" if end.status == "completed" else "nothing to undo"
        reasons = {ends[id].reason for id in ids}
        more = " (and the like)" if len(reasons) > 1 else ""
        cells = (str(len(ids)), end.status, f"{end.reason or ''}{more}", undone or nothing)
        table.add_row(*(Text(c) for c in cells))
    return table


def book(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """One of the services' books; a truth is `yes` or `NO`."""
    table = _table(title)
    for column in rows[0] if rows else ("nothing",):
        table.add_column(column, justify="right" if rows and _number(rows[0][column]) else "left")
    for row in rows:
        table.add_row(*(_cell(v) for v in row.values()))
    return table


def holds(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether no book says that something does not add up."""
    return not any(value is False for row in rows for value in row.values())


def _failures(course: Followed) -> list[str]:
    return [
        f"{path} {sight.answer}"
        for path, sight in course.messages.items()
        if sight.state is not Seen.ANSWERED and not is_undo(path)
    ]


def _undone(course: Followed) -> str:
    undos = (p for p, s in course.messages.items() if is_undo(p) and s.state is Seen.ANSWERED)
    # The messages of an undo's block stand for it together.
    return ", ".join(dict.fromkeys(p.partition(":undo")[0] for p in undos))


def _table(title: str) -> Table:
    return Table(
        title=Text(title, style="bold"),
        title_justify="left",
        header_style="dim",
        box=None,
        pad_edge=False,
    )


def _number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _cell(value: Any) -> Text:
    if isinstance(value, bool):
        return Text("yes", "green") if value else Text("NO", "bold red")
    return Text(str(value))
