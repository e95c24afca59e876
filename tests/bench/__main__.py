"""Runs the named benchmarks, or all of them."""

from __future__ import annotations

import asyncio
import signal
import sys

from rich.console import Console

from orchestrator.dev.errors import ServerError
from tests.bench.errors import BenchError
from tests.bench.registry import BENCHMARKS, check, find
from tests.bench.rows import RESULTS, save

INTERRUPTED = 130


async def run(names: list[str], screen: Console) -> None:
    """Each in turn; what has been measured is saved before the next begins."""
    for name in names:
        screen.rule(name)
        save(name, await find(name).run(screen))
        screen.print(f"rows of `{name}` are in {RESULTS}", highlight=False, soft_wrap=True)


def main(names: list[str]) -> int:
    """The exit status."""
    # A background job starts with SIGINT ignored. SIGTERM is as a Ctrl-C: the servers are stopped.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        check(names)
        asyncio.run(run(names or list(BENCHMARKS), Console()))
    except (BenchError, ServerError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: everything that was started is stopped", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
