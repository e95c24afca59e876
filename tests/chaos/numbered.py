"""What is numbered comes in the order of its numbers, none missing, none twice."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from tests.chaos.evidence import MOVES, Evidence, Violation, twice


def _bookings(e: Evidence) -> Iterator[Violation]:
    """What was committed is published, nothing else is, and those of an account come in the order
    of the commits: the first time, that is, a relay may repeat."""
    committed = defaultdict(set)
    for row in e.effects:
        if row.account is not None:
            committed[row.account].add(row.number)
    seen: dict[str, list[int]] = defaultdict(list)
    for record in e.on("money.events"):
        if record.header("ce_type") == b"money.Booked":
            body = json.loads(record.value)
            seen[body["account"]].append(body["number"])
    for account in committed.keys() | seen.keys():
        first = list(dict.fromkeys(seen[account]))
        if missing := committed[account] - set(first):
            yield Violation("lost", f"bookings {sorted(missing)} of {account} not published")
        if extra := set(first) - committed[account]:
            yield Violation("wrong", f"bookings {sorted(extra)} of {account} never happened")
        yield from _sorted(first, f"bookings of {account}")


def _moves(e: Evidence) -> Iterator[Violation]:
    """Published in any order, some of them twice, some after others were given up: a participant
    does each once, in its turn, also when it has to try several times."""
    done = e.noted("move")
    for crate in e.crates:
        yield from _complete(done[crate], f"moves of {crate}")


def _followed(e: Evidence) -> Iterator[Violation]:
    """And a saga sees each once, in its turn."""
    seen: dict[str, list[int]] = defaultdict(list)
    ids: dict[tuple[str, int], set[bytes]] = defaultdict(set)
    for record in e.on("watch.events"):
        body = json.loads(record.value)
        seen[body["crate"]].append(body["number"])
        ids[body["crate"], body["number"]].add(record.header("ce_id") or b"")
    for crate in e.crates:
        # As everything that is published, it may be repeated, under one id.
        yield from _complete(list(dict.fromkeys(seen[crate])), f"{crate} as its saga saw it:")
    for (crate, number), names in ids.items():
        if len(names) > 1:
            yield Violation("doubled", f"its saga saw move {number} of {crate} {len(names)} times")


def _hands(e: Evidence) -> Iterator[Violation]:
    """Each is noted once, in its turn, behind a letter that holds the key, too; and counted once,
    whenever that works. What nobody can read is mended for the desk alone."""
    noted, counted = e.noted("hand"), e.noted("count")
    for crate, wanted in e.handed.items():
        yield from _complete(noted[crate], f"hands of {crate}", wanted)
        yield from _complete(sorted(counted[crate]), f"counts of {crate}", (1, 3))


def _glimpses(e: Evidence) -> Iterator[Violation]:
    """What is delivered at most once."""
    for crate, numbers in e.noted("glimpse").items():
        yield from twice(numbers, f"glimpse of {crate}:")


def _boards(e: Evidence) -> Iterator[Violation]:
    """Of each record there is what it was transformed into, once, in the records' order."""
    if not e.transformed:
        return
    places = [r.place for r in e.on("money.events")]
    done, offsets = list[str](), defaultdict[str | None, list[int]](list)
    for record in e.on(BOARDS):
        board = json.loads(record.value)
        done.append(board["of"])
        offsets[record.key].append(board["offset"])
    yield from twice(done, "transformed:")
    if missing := set(places) - set(done):
        yield Violation("lost", f"not transformed: {sorted(missing)}")
    for key, came in offsets.items():
        yield from _sorted(list(dict.fromkeys(came)), f"what was transformed of {key}")


def _complete(
    numbers: Sequence[int], what: str, wanted: Collection[int] = range(1, MOVES + 1)
) -> Iterator[Violation]:
    if missing := set(wanted) - set(numbers):
        yield Violation("lost", f"{what} {sorted(missing)} missing")
    yield from twice(numbers, what)
    yield from _sorted(list(dict.fromkeys(numbers)), what)


def _sorted(numbers: list[int], what: str) -> Iterator[Violation]:
    if numbers != sorted(numbers):
        yield Violation("disorder", f"{what} came as {numbers}")


#: Where the transformer writes.
BOARDS = "chaos.boards"

CHECKS = (_bookings, _moves, _followed, _hands, _glimpses, _boards)
