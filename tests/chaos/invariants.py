"""What must hold after whatever happened, over the ledger and what was seen on the bus."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestrator.messaging.record import Record

#: By kind of order: how its saga ends, and the effects it comes to, in order.
ENDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "GOOD": ("completed", ("goods", "money", "parcel")),
    "SLOW": ("completed", ("goods", "money", "parcel")),
    "DECLINED": ("failed", ("goods",)),
    "LOST": ("failed", ("goods", "money")),
    "UNWEIGHED": ("failed", ("goods", "money")),
    # Or as many of them as it came to.
    "CANCELLED": ("cancelled", ("goods", "money")),
}

Fault = Literal["lost", "doubled", "disorder", "wrong"]


@dataclass(frozen=True)
class Violation:
    """One thing that does not hold."""

    fault: Fault
    text: str

    def __str__(self) -> str:
        return f"{self.fault}: {self.text}"


@dataclass
class Evidence:
    """`orders` are accepted starts and their kinds, `outcomes` the ends that are known, `effects`
    the ledger's rows in order, `records` what passed on the bus, `letters` the values that belong
    into a dead-letter topic, by topic."""

    orders: dict[str, str]
    outcomes: dict[str, str]
    effects: Sequence[Any]
    records: Sequence[Record]
    letters: dict[str, set[bytes]] = field(default_factory=dict)
    #: Whether nothing happened that could make a relay publish twice.
    calm: bool = False

    def on(self, topic: str) -> list[Record]:
        """What was seen on a topic."""
        return [r for r in self.records if r.topic == topic]


def violations(evidence: Evidence) -> list[Violation]:
    """All that does not hold."""
    checks = (_ends, _effects, _undos, _bookings, _repeats, _events, _answers, _letters)
    return [v for check in checks for v in check(evidence)]


def _ends(e: Evidence) -> Iterator[Violation]:
    """Every accepted start ends in one terminal state, the right one."""
    for id, kind in e.orders.items():
        wanted, got = ENDS[kind][0], e.outcomes.get(id)
        if got is None:
            yield Violation("lost", f"{id} ({kind}) has not ended")
        elif got != wanted:
            yield Violation("wrong", f"{id} ({kind}) ended as {got}, not {wanted}")


def _effects(e: Evidence) -> Iterator[Violation]:
    """One effect for each saga and step, in the steps' order, none that belongs to no order."""
    done = _by_saga(r for r in e.effects if r.what == "do")
    for id, kind in e.orders.items():
        steps, wanted = [r.step for r in done.get(id, ())], ENDS[kind][1]
        yield from _twice(steps, f"{id} ({kind}): step")
        first = list(dict.fromkeys(steps))
        if kind == "CANCELLED":
            wanted = wanted[: len(first)]
        if missing := set(wanted) - set(first):
            yield Violation("lost", f"{id} ({kind}): no effect of {sorted(missing)}")
        elif first != list(wanted):
            yield Violation("disorder", f"{id} ({kind}): effects {first}, not {list(wanted)}")
    for id in done.keys() - e.orders.keys():
        yield Violation("wrong", f"{id} took effect and is no order")


def _undos(e: Evidence) -> Iterator[Violation]:
    """What was done is undone once, last first, unless the saga completed, and nothing is done
    after its undo."""
    for id, rows in _by_saga(e.effects).items():
        undone = [r.step for r in rows if r.what == "undo" and r.standing > 0]
        done = list(dict.fromkeys(r.step for r in rows if r.what == "do"))
        yield from _twice([r.step for r in rows if r.what == "undo"], f"{id}: undo of")
        outcome = e.outcomes.get(id)
        wanted = [] if outcome in (None, "completed") else done[::-1]
        first = list(dict.fromkeys(undone))
        if outcome is None or first == wanted:
            continue
        if missing := set(wanted) - set(first):
            yield Violation("lost", f"{id} {outcome}: {sorted(missing)} not undone")
        else:
            yield Violation("disorder", f"{id} {outcome}: undid {first}, not {wanted}")


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
        if first != sorted(first):
            yield Violation("disorder", f"bookings of {account} came as {first}")


def _repeats(e: Evidence) -> Iterator[Violation]:
    """Where nothing excuses it, a relay publishes nothing twice."""
    if e.calm:
        events = (r for topic in ("goods.events", "money.events") for r in e.on(topic))
        yield from _twice([(r.header("ce_id") or b"").decode() for r in events], "published")


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
    for id, outcome in e.outcomes.items():
        if outcome == "completed" and id not in ids:
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


def _twice(found: Sequence[Any], what: str) -> Iterator[Violation]:
    for each, count in Counter(found).items():
        if count > 1:
            yield Violation("doubled", f"{what} {each}, {count} times")


def _by_saga(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.saga].append(row)
    return found
