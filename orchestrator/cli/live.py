"""The table of `orchestrate dev --run`: each saga's course, live and in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from orchestrator.runtime.instances import Outcome
from orchestrator.runtime.watch import Followed, Seen, Sight

_LEGEND = "… sent   ✓ answered   ✗ failed   ↩ undone   ×n sent n times"

_OUTCOMES = {"completed": "green", "failed": "yellow", "cancelled": "magenta"}

#: Lines of the screen that are not for sagas: header, count, legend, and the cursor's.
_AROUND = 4


class Board:
    """One row for each saga, one column for each step. In a terminal that is too low for all,
    the running sagas come first and then those that ended last."""

    def __init__(self, saga: str, ids: Sequence[str], steps: Sequence[str]) -> None:
        self._saga = saga
        self._ids = ids
        self._steps = steps
        self.outcomes: dict[str, Outcome] = {}
        self.sagas: Mapping[str, Followed] = {}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown = self._fitting(console.height - _AROUND)
        hidden = len(self._ids) - len(shown)
        count = f"{len(self.outcomes)} of {len(self._ids)} ended"
        if hidden:
            count += f"; no room for {hidden} more rows"
        yield self.table(shown)
        for text in (count, _LEGEND):
            yield Text(text, style="dim", no_wrap=True, overflow="ellipsis")

    def table(self, ids: Sequence[str] | None = None) -> Table:
        """The rows of some sagas, or of all."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column(self._saga, no_wrap=True, overflow="ellipsis")
        for step in self._steps:
            table.add_column(step, no_wrap=True, overflow="ellipsis")
        # The one column that gives way in a narrow terminal.
        table.add_column("end", overflow="ellipsis")
        for id in self._ids if ids is None else ids:
            followed = self.sagas.get(id, Followed())
            cells = [_cell(followed, step) for step in self._steps]
            table.add_row(Text(id.partition("/")[2]), *cells, self._end(id))
        return table

    def _fitting(self, room: int) -> list[str]:
        if room >= len(self._ids):
            return list(self._ids)
        running = [id for id in self._ids if id not in self.outcomes]
        chosen = {*[*running, *reversed(self.outcomes)][: max(room, 1)]}
        return [id for id in self._ids if id in chosen]

    def _end(self, id: str) -> Text:
        outcome = self.outcomes.get(id)
        if outcome is None:
            return Text("running", style="dim")
        style = _OUTCOMES.get(outcome.status, "red")
        return Text(outcome.reason or outcome.status, style, no_wrap=True, overflow="ellipsis")


def _cell(followed: Followed, step: str) -> Text:
    sight = followed.messages.get(step)
    text = Text(_forward(sight), style=_style(sight))
    own = (f"{step}:undo", f"{step}:undo.")
    undos = [s for p, s in followed.messages.items() if p == own[0] or p.startswith(own[1])]
    if undos:
        done = all(s.state is Seen.ANSWERED for s in undos)
        text.append(" ↩" if done else " ↩…", style="magenta")
    return text


def _forward(sight: Sight | None) -> str:
    if sight is None:
        return "·"
    tries = f" ×{sight.sent}" if sight.sent > 1 else ""
    match sight.state:
        case Seen.ANSWERED:
            return f"✓{tries}"
        case Seen.FAILED:
            return f"✗ {sight.answer}{tries}"
    return f"…{tries}"


def _style(sight: Sight | None) -> str:
    if sight is None:
        return "dim"
    return {Seen.ANSWERED: "green", Seen.FAILED: "red", Seen.SENT: "yellow"}[sight.state]
