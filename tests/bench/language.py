"""The language on generated flows: lines per second, how they grow, and the start of `check`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from dsl.check.program import check_program
from dsl.format import format
from dsl.parse import parse
from dsl.source import Source
from tests.bench.aim import at_least, at_most, times
from tests.bench.errors import BenchError
from tests.bench.rows import Row, row
from tests.dsl.generated import flow_of

#: About so many lines.
SIZES = (100, 1_000, 10_000)
#: What issue 3 aims at: parsing and checking together, warm; a whole process, from a cold start.
RATE_AIM, START_AIM = 15_000, 400  # lines/s, ms
#: "Linear": the rate at the last size is at least so much of the first.
LINEAR = times(0.5)
#: Each measurement is repeated for so long (seconds), and at least so often; the best counts, for
#: what else runs on the machine only ever makes it slower.
_LONG, _OFTEN = 2.0, 3
_STARTS = 15

ROOT = Path(__file__).parents[2]
_FLOW = ROOT / "flows" / "orders" / "orders.flow"


def _check(text: str) -> None:
    file, syntax_errors = parse(Source("generated.flow", text))
    _, found = check_program([file])
    if syntax_errors or found:
        raise BenchError("the generated flow has findings")


def _format(text: str) -> None:
    _, found = format(Source("generated.flow", text))
    if found:
        raise BenchError("the generated flow cannot be formatted")


#: Text in; `check` is what `orchestrate check` does with a file that it has read.
STAGES: dict[str, Callable[[str], object]] = {
    "parse": lambda text: parse(Source("generated.flow", text)),
    "check": _check,
    "format": _format,
}


async def run(screen: Console) -> list[Row]:
    """Measures, prints a table and returns its rows. Raises BenchError."""
    rates = {
        stage: {size: _rate(work, flow_of(size)) for size in SIZES}
        for stage, work in STAGES.items()
    }
    table = Table(box=SIMPLE_HEAD, title="lines/s, warm", title_justify="left")
    table.add_column("stage")
    for size in SIZES:
        table.add_column(f"{size:,} lines", justify="right")
    table.add_column("of the first rate at the last size", justify="right")
    table.add_column("aim", justify="right")
    rows = []
    for stage, measured in rates.items():
        first, last = measured[SIZES[0]], measured[SIZES[-1]]
        aim = RATE_AIM if stage == "check" else None
        for size, rate in measured.items():
            bound = None if aim is None else at_least(aim, "lines/s")
            rows.append(row(f"language/{stage}-{size}", rate, None, "lines/s", bound))
        # Near 1: the time grows as the file does. A quadratic stage would come to 0.01.
        rows.append(row(f"language/{stage}-growth", last, first, "lines/s", LINEAR))
        cells = (f"{rate:,.0f}" for rate in measured.values())
        table.add_row(stage, *cells, f"{last / first:.2f}", f"{aim:,}" if aim else "")
    screen.print(table)
    start = _start()
    rows.append(row("language/check-start", start, None, "ms", at_most(START_AIM, "ms")))
    text = f"`orchestrate check` of one file, from a cold start: {start:.0f} ms (aim: {START_AIM})"
    screen.print(text, highlight=False)
    return rows


def _rate(work: Callable[[str], object], text: str) -> float:
    work(text)  # warm
    best, spent, runs = float("inf"), 0.0, 0
    while spent < _LONG or runs < _OFTEN:
        began = time.process_time()  # on a busy machine, what passes meanwhile is not its own
        work(text)
        took = time.process_time() - began
        best, spent, runs = min(best, took), spent + took, runs + 1
    return text.count("\n") / best


def _start() -> float:
    """The median of whole processes in milliseconds, each from nothing but files on the disk: the
    bytecode, which an installation makes, and the grammar's table, which the first run keeps."""
    command = [sys.executable, "-m", "orchestrator", "check", str(_FLOW)]
    took = []
    with TemporaryDirectory(prefix="orchestrate-bench-") as bytecode:
        # Whoever runs this may not want any beside the sources.
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
        for _ in range(_STARTS + 1):
            began = time.perf_counter()
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=env)
            took.append((time.perf_counter() - began) * 1000)
            if done.returncode:
                raise BenchError(f"`check` ended with status {done.returncode}: {done.stdout}")
    return statistics.median(took[1:])
