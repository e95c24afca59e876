"""The benchmarks by name. A new one is a module and a line here."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from rich.console import Console

from tests.bench.errors import BenchError
from tests.bench.rows import Row

#: Imported when it is run, so that one benchmark does not need what another does.
BENCHMARKS = {
    "consumer": "tests.bench.consumer",
    "handling": "tests.bench.handling",
    "language": "tests.bench.language",
    "language-server": "tests.bench.language_server",
    "memory": "tests.bench.memory",
    "outbox": "tests.bench.outbox",
    "pressure": "tests.bench.pressure",
    "saga": "tests.bench.saga.benchmark",
    "scenarios": "tests.bench.scenarios",
    "transform": "tests.bench.transform",
}


class Benchmark(Protocol):
    """What a benchmark's module offers."""

    async def run(self, screen: Console) -> list[Row]:
        """Measures, prints a table and returns its rows. Raises BenchError."""


def check(names: list[str]) -> None:
    """Raises BenchError for a name that is not registered."""
    for name in names:
        if name not in BENCHMARKS:
            known = ", ".join(f"`{n}`" for n in BENCHMARKS)
            raise BenchError(f"there is no benchmark `{name}`, there is {known}")


def find(name: str) -> Benchmark:
    """A registered benchmark."""
    return cast(Benchmark, import_module(BENCHMARKS[name]))
