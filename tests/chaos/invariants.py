"""What must hold after whatever happened, over the ledger and what was seen on the bus."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from tests.chaos import numbered, requests
from tests.chaos.evidence import ENDS, TWINS, Evidence, Violation, twice


def violations(evidence: Evidence) -> list[Violation]:
    """All that does not hold."""
    checks = (
        *(_ends, _effects, _undos, _repeats, _events, _answers, _letters, _recovered),
        *numbered.CHECKS,
        *requests.CHECKS,
    )
    return [v for check in checks for v in check(evidence)]


def _ends(e: Evidence) -> Iterator[Violation]:
    """Every accepted start ends in one terminal state, the right one."""
    for id, kind in (*e.orders.items(), *((c, "FOLLOWED") for c in e.crates)):
        wanted, got = ENDS[kind][0] if kind in ENDS else "completed", e.outcomes.get(id)
        if got is None:
            yield Violation("lost", f"{id} ({kind}) has not ended")
        elif got != wanted and not _unknown(kind, got):
            yield Violation("wrong", f"{id} ({kind}) ended as {got}, not {wanted}")


def _effects(e: Evidence) -> Iterator[Violation]:
    """One effect for each saga and step, in the steps' order, none that belongs to no order."""
    done = _by_saga(r for r in e.effects if r.what == "do")
    for id, kind in e.orders.items():
        steps, wanted = [r.step for r in done.get(id, ())], ENDS[kind][1]
        yield from twice(steps, f"{id} ({kind}): step")
        first = list(dict.fromkeys(steps))
        if kind == "CANCELLED" or _unknown(kind, e.outcomes.get(id)):
            wanted = wanted[: len(first)]
        if missing := set(wanted) - set(first):
            yield Violation("lost", f"{id} ({kind}): no effect of {sorted(missing)}")
        elif _in_any_order(first) != _in_any_order(wanted):
            yield Violation("disorder", f"{id} ({kind}): effects {first}, not {list(wanted)}")
    for id in done.keys() - e.orders.keys():
        yield Violation("wrong", f"{id} took effect and is no order")


def _undos(e: Evidence) -> Iterator[Violation]:
    """What was done is undone once, last first, unless the saga completed, and nothing is done
    after its undo."""
    for id, rows in _by_saga(e.effects).items():
        undone = [r.step for r in rows if r.what == "undo" and r.standing > 0]
        done = list(dict.fromkeys(r.step for r in rows if r.what == "do"))
        yield from twice([r.step for r in rows if r.what == "undo"], f"{id}: undo of")
        outcome = e.outcomes.get(id)
        wanted = [] if outcome in (None, "completed") else done[::-1]
        first = list(dict.fromkeys(undone))
        if outcome is None or first == wanted:
            continue
        if missing := set(wanted) - set(first):
            yield Violation("lost", f"{id} {outcome}: {sorted(missing)} not undone")
        else:
            yield Violation("disorder", f"{id} {outcome}: undid {first}, not {wanted}")


def _repeats(e: Evidence) -> Iterator[Violation]:
    """Where nothing excuses it, a relay publishes nothing twice."""
    if e.calm:
        events = (r for topic in ("goods.events", "money.events") for r in e.on(topic))
        yield from twice([(r.header("ce_id") or b"").decode() for r in events], "published")


def _events(e: Evidence) -> Iterator[Violation]:
    """A saga's own event: once for each that completed, always under one id."""
    ids: dict[str, set[bytes]] = defaultdict(set)
    for record in e.on("front.events"):
        if record.header("ce_type") == b"front.Done":
            ids[json.loads(record.value)["id"]].add(record.header("ce_id") or b"")
    for id, names in ids.items():
        if len(names) > 1:
            yield Violation("doubled", f"{id} told its end under {len(names)} ids")
        if ENDS.get(e.orders.get(id, ""), ("",))[0] != "completed":
            yield Violation("wrong", f"{id} told an end that it has not")
    for id in e.orders:
        if e.outcomes.get(id) == "completed" and id not in ids:
            yield Violation("lost", f"{id} completed and did not tell")


def _answers(e: Evidence) -> Iterator[Violation]:
    """However often a command is answered, the answer is the same."""
    answers: dict[bytes, set[tuple[bytes, bytes]]] = defaultdict(set)
    for record in e.on("orchestrate.replies"):
        if cause := record.header("causationid"):
            answers[cause].add((record.header("ce_type") or b"", record.value))
    for cause, ways in answers.items():
        if len(ways) > 1:
            yield Violation("doubled", f"{cause.decode()} was answered in {len(ways)} ways")


def _letters(e: Evidence) -> Iterator[Violation]:
    """What cannot be handled is in its dead-letter topic."""
    for topic, values in e.letters.items():
        if missing := values - {r.value for r in e.on(topic)}:
            yield Violation("lost", f"{len(missing)} of {len(values)} records not in {topic}")
    buried = {(r.header("ce_subject") or b"").decode() for r in e.on("chaos.dlq")}
    for id, kind in e.orders.items():
        if kind == "UNWEIGHED" and id in e.outcomes and id not in buried:
            yield Violation("lost", f"{id}: its command is not in chaos.dlq")


def _recovered(e: Evidence) -> Iterator[Violation]:
    """All of it within a limit after the last fault."""
    if e.recovery > e.limit:
        yield Violation("lost", f"not well after {e.recovery:.0f}s, the limit is {e.limit:g}s")


def _unknown(kind: str, outcome: str | None) -> bool:
    """Whether it ended because nobody answered for what is done once or not at all."""
    return kind == "RUNG" and outcome == "failed"


def _in_any_order(steps: Iterable[str]) -> list[str]:
    """With what runs side by side under one name."""
    return ["twin" if step in TWINS else step for step in steps]


def _by_saga(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.saga].append(row)
    return found
