"""Runs the named benchmarks, or all of them: `python -m tests.bench [--json] [NAMES]`."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence

from rich.console import Console

from orchestrator.dev.errors import ServerError
from tests.bench.errors import BenchError
from tests.bench.registry import BENCHMARKS, check, find
from tests.bench.rows import RESULTS, Row, save
from tests.bench.summary import summary

INTERRUPTED = 130
WIDTH = 120


async def run(names: Sequence[str], screen: Console) -> list[Row]:
    """Each in turn; what has been measured is saved before the next begins."""
    rows: list[Row] = []
    for name in names:
        screen.rule(name)
        found = await find(name).run(screen)
        save(name, found)
        rows += found
        screen.print(f"rows of `{name}` are in {RESULTS}", highlight=False, soft_wrap=True)
    return rows


def main(arguments: Sequence[str]) -> int:
    """The exit status; an aim that is missed does not change it: the machine may be busy."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    asked = parser.parse_args(arguments)
    # The tables are wide: where nobody's terminal bounds them, they have their room.
    screen = Console(stderr=asked.json, width=None if sys.stdout.isatty() else WIDTH)
    # A background job starts with SIGINT ignored. SIGTERM is as a Ctrl-C: the servers are stopped.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        check(asked.names)
        rows = asyncio.run(run(asked.names or list(BENCHMARKS), screen))
    except (BenchError, ServerError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: everything that was started is stopped", file=sys.stderr)
        return INTERRUPTED
    screen.print(summary(rows))
    if asked.json:
        print(json.dumps([row.to_json() for row in rows], indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
