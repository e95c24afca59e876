"""What was measured, against what the issues ask for."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from tests.bench.rows import Row


def summary(rows: Sequence[Row]) -> Table:
    """All rows; the verdict is empty where nothing is asked for."""
    table = Table(box=SIMPLE_HEAD, title="what was measured", title_justify="left")
    table.add_column("", no_wrap=True)
    for name in ("figure", "reference", "ratio", "aim"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    for each in rows:
        reference = "" if each.reference is None else f"{each.reference:,g}"
        ratio = "" if each.ratio is None else f"{each.ratio:g}"
        verdict = {None: "", True: "[green]met[/]", False: "[red]missed[/]"}[each.met]
        figure = f"{each.value:,g} {each.unit}"
        table.add_row(each.name, figure, reference, ratio, str(each.aim or ""), verdict)
    return table
