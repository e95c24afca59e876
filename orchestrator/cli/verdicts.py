"""Verdicts on scenarios for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestrator.testing import words
from orchestrator.testing.course import End, Entry, Event
from orchestrator.testing.verdict import Check, Verdict, ending

if TYPE_CHECKING:
    from rich.table import Table

_SIGNS = {
    Event.SENT: "→",
    Event.PUBLISHED: "»",
    Event.ANSWERED: "←",
    Event.FAILED: "←",
    Event.SILENT: "…",
    Event.ARRIVED: "«",
    Event.BURIED: "†",
    Event.NOTE: "·",
}


@dataclass(slots=True)
class Row:
    """One line of both sides: the expectations that it is about, and what happened when."""

    checks: list[Check] = field(default_factory=list)
    at: str = ""
    happened: str = ""


def rows(verdict: Verdict) -> list[Row]:
    """The expected and the actual course, side by side: an expectation stands beside what it is
    about; one of a message that was never sent, where it was looked for."""
    course = verdict.course
    found = [Row(at=words.elapsed(e.at), happened=_happened(e)) for e in course.entries]
    end = Row(at=words.elapsed(course.at), happened=ending(course))
    missing: dict[int, list[Row]] = {}
    place = -1
    for check in verdict.checks:
        if check.entry is not None:
            index = next(i for i, e in enumerate(course.entries) if e is check.entry)
            found[index].checks.append(check)
            place = max(place, index) if check.ok else place
        elif check.of_message and not check.ok:
            missing.setdefault(place, []).append(Row([check]))
        else:
            end.checks.append(check)
    together = list(missing.get(-1, ()))
    for index, row in enumerate(found):
        together += [row, *missing.get(index, ())]
    return [*together, end]


def side_by_side(verdict: Verdict) -> Table:
    """The rows as a table."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("expected", overflow="fold", ratio=2)
    table.add_column("at", justify="right", no_wrap=True)
    table.add_column("what happened", overflow="fold", ratio=3)
    for row in rows(verdict):
        expected = Text("\n").join(
            Text(_expected(c), style="green" if c.ok else "bold red") for c in row.checks
        )
        table.add_row(expected, Text(row.at, style="dim"), Text(row.happened))
    return table


def _expected(check: Check) -> str:
    return f"✓ {check.text}" if check.ok else f"✗ {check.text}\n  {check.why}"


def _happened(entry: Entry) -> str:
    return f"{_SIGNS.get(entry.event, '·')} {entry.text}"


def headline(verdict: Verdict) -> str:
    """`file:line title`."""
    scenario = verdict.scenario
    return f"{scenario.place.file}:{scenario.place.line} {scenario.title}"


def plain(verdict: Verdict) -> str:
    """Both sides as text without colours, for reports."""
    from io import StringIO

    from rich.console import Console

    out = StringIO()
    Console(file=out, width=160, color_system=None, highlight=False).print(side_by_side(verdict))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def as_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as data."""
    scenario, course = verdict.scenario, verdict.course
    return {
        "title": scenario.title,
        "file": scenario.place.file,
        "line": scenario.place.line,
        "saga": scenario.run.saga,
        "ok": verdict.ok,
        "end": course.end.value,
        "reason": course.reason or None,
        "result": words.shown(course.result) if course.end is End.RETURNED else None,
        "seconds": round(course.at, 6),
        "expectations": [
            {"text": c.text, "line": c.line, "ok": c.ok, "why": c.why or None}
            for c in verdict.checks
        ],
        "course": [
            {"at": round(e.at, 6), "event": e.event.value, "text": e.text, "path": e.path or None}
            for e in course.entries
        ],
    }
