"""The benchmark `language-server`: how long after a keystroke the findings are there, over the
real protocol, the server's waiting for a pause included; and the server's own time on the
processor, which tells on a busy machine how much of that was waiting for others."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from tests.bench.aim import at_most
from tests.bench.rows import Row, row
from tests.dsl.generated import flow_of
from tests.lsp.client import Editor, at

#: Lines of the edited file, and how often it is edited.
LINES, EDITS = (200, 1_000, 10_000), 40
#: The aim for the shortest file, in milliseconds.
AIM = 50.0


async def run(screen: Console) -> list[Row]:
    """Measures, prints the table and returns the rows."""
    table = Table("lines", "findings, median", "worst", "processor", "hover", "completion")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="orchestrate-bench-") as folder:
        async with Editor(Path(folder)) as editor:
            for lines in LINES:
                path = Path(folder, f"f{lines}.flow")
                edits, busy, asks = await _measure(editor, path, flow_of(lines))
                median = statistics.median(edits)
                shown = (median, max(edits), busy, asks["hover"], asks["completion"])
                table.add_row(str(lines), *(f"{ms:.1f} ms" for ms in shown))
                aim = at_most(AIM, "ms") if lines == LINES[0] else None
                rows.append(row(f"language-server/edit-{lines}", median, None, "ms", aim))
                rows.append(row(f"language-server/processor-{lines}", busy, None, "ms"))
    screen.print(table)
    return rows


async def _measure(
    editor: Editor, path: Path, text: str
) -> tuple[list[float], float, dict[str, float]]:
    """The milliseconds from each edit to its findings, the server's on the processor for one, and
    those of questions."""
    uri = await editor.open(path, text)
    assert await editor.diagnostics(uri) == []
    line = text.count("\n", 0, text.rindex("step first"))
    place = {"line": line, "character": 2 + len("step first")}
    taken, server = [], psutil.Process(editor.process.pid)
    before = server.cpu_times()
    for n in range(EDITS if len(text) < 100_000 else 5):
        begun = time.perf_counter()
        # The name of the last saga's first step is typed, and wrong for as long.
        end = {**place, "character": place["character"] + (n > 0)}
        word = {"start": place, "end": end}
        version = await editor.change(uri, {"range": word, "text": "abcdef"[n % 6]})
        await editor.diagnostics(uri, version)
        taken.append((time.perf_counter() - begun) * 1000)
    after = server.cpu_times()
    busy = (after.user + after.system - before.user - before.system) * 1000 / len(taken)
    asks = {}
    for name in ("hover", "completion"):
        begun = time.perf_counter()
        await editor.ask(f"textDocument/{name}", at(uri, line - 5, 8))
        asks[name] = (time.perf_counter() - begun) * 1000
    await editor.close(uri)
    return taken, busy, asks
