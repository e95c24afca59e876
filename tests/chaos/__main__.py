"""`make chaos`: storms, one after the other, until every point has been died at."""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from orchestrator.dev.errors import ServerError
from orchestrator.failpoint import POINTS
from tests.chaos.arena import Arena
from tests.chaos.child import Role
from tests.chaos.slots import every_point_of
from tests.chaos.storm import Report, first_storms, random_storm, weather

INTERRUPTED = 130

#: How many points of each kind of process a round goes through.
_A_ROUND: dict[Role, int] = {
    "worker": 5,
    "participant": 3,
    "relay": 2,
    "desk": 4,
    "transformer": 2,
}

#: Rounds until each point was met.
_EVERY = max(-(-len(every_point_of(role)) // n) for role, n in _A_ROUND.items())

#: Seconds for a process to come to its point, and for all to be well after a round.
_LIMIT = 240.0


def main(arguments: list[str]) -> int:
    """The exit status: 1 when something was lost or doubled, or did not recover."""
    options = _options(arguments)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of every reconnect
    # A background job starts with SIGINT ignored. SIGTERM is as a Ctrl-C: the servers are stopped.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        return asyncio.run(_run(options.rounds, options.seed, options.keep))
    except ServerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: everything that was started is stopped", file=sys.stderr)
        return INTERRUPTED


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=0, help="0: as many as all points take")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="to repeat a run")
    parser.add_argument("--keep", type=Path, help="a folder for the servers' data and all logs")
    return parser.parse_args(arguments)


async def _run(rounds: int, seed: int, keep: Path | None) -> int:
    deck = _deck(random.Random(seed))
    total, began, broken = Report(0), time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="orchestrate-chaos-") as folder:
        async with Arena(keep or Path(folder)) as arena:
            first = first_storms(arena)
            rounds = rounds or len(first) + _EVERY
            print(f"seed {seed}, {rounds} rounds; {_EVERY} go through all points")
            for number in range(rounds):
                storm = (
                    first[number]
                    if number < len(first)
                    else random_storm(seed + number, next(deck), arena)
                )
                print(f"round {number + 1} of {rounds}, on {storm.kind}")
                try:
                    report = await weather(arena, storm, limit=_LIMIT, say=_progress)
                except* AssertionError as errors:
                    broken += 1
                    for error in errors.exceptions:
                        print(f"  stuck: {error}")
                else:
                    _add(total, report)
    _summary(total, broken, time.monotonic() - began, seed, rounds)
    return 1 if broken or total.violations else 0


def _deck(chance: random.Random) -> Iterator[dict[Role, list[str]]]:
    """So many points for each kind of process, all of them before any comes again."""
    left: dict[Role, list[str]] = {role: [] for role in _A_ROUND}
    while True:
        for role, count in _A_ROUND.items():
            if len(left[role]) < count:
                left[role] += chance.sample(every_point_of(role), k=len(every_point_of(role)))
        yield {role: [left[role].pop(0) for _ in range(n)] for role, n in _A_ROUND.items()}


def _progress(line: str) -> None:
    print(f"  {line}", flush=True)


def _add(total: Report, report: Report) -> None:
    total.orders += report.orders
    total.survived += report.survived
    total.violations += report.violations
    total.recovery = max(total.recovery, report.recovery)
    verdict = "; ".join(map(str, report.violations)) or "nothing lost, nothing doubled"
    _progress(f"{report.orders} orders, all well after {report.recovery:.1f}s: {verdict}")


def _summary(total: Report, broken: int, took: float, seed: int, rounds: int) -> None:
    kinds = Counter[str]()
    for fault, count in total.survived.items():
        kinds[fault.partition(" at ")[0]] += count
    points = {f.partition(" at ")[2] for f in total.survived if " at " in f}
    print(f"\n{total.orders} orders in {took:.0f}s, {total.survived.total()} faults survived:")
    for kind, count in sorted(kinds.items()):
        print(f"  {count:4}  {kind}")
    print(f"points that were met: {len(points)} of {len(POINTS)}")
    print(f"longest recovery: {total.recovery:.1f}s")
    found = Counter(v.fault for v in total.violations)
    for fault in ("lost", "doubled", "disorder", "wrong"):
        print(f"{fault}: {found[fault]}")
    for violation in total.violations:
        print(f"  {violation}")
    if broken:
        print(f"rounds that got stuck: {broken}")
    print(f"to repeat it: make chaos SEED={seed} ROUNDS={rounds}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
