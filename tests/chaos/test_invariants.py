"""Each thing that must hold, with a made-up run in which it does not: the books that are in order
are passed, and each falsification is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.messaging.record import Record
from tests.chaos.evidence import ENDS, MOVES, Evidence, Fault
from tests.chaos.invariants import violations
from tests.chaos.numbered import BOARDS
from tests.chaos.requests import ANSWERS

UNDONE = ("LOST", "UNWEIGHED", "CANCELLED", "DECLINED")


def honest() -> Evidence:
    """A run in which all is well: one order of each kind, a crate, a stamp and a limit."""
    e = Evidence({kind: kind for kind in ENDS}, {}, [], [], limit=60.0)
    for kind, (outcome, steps) in ENDS.items():
        e.outcomes[kind] = outcome
        for step in steps:
            effect(e, kind, step)
        for step in reversed(steps if kind in UNDONE else ()):
            effect(e, kind, step, "undo")
        if outcome == "completed":
            told(e, "front.events", f"{kind}#done", "front.Done", {"id": kind})
        answered(e, "orchestrate.replies", f"{kind}#goods", "goods.Reserved", {"id": kind})
    told(e, "chaos.dlq", "UNWEIGHED#weight", "parcels.Weigh", {}, key="UNWEIGHED")
    e.letters["dlt"] = {b"garbage"}
    seen(e, Record("dlt", None, b"garbage"))
    e.crates, e.outcomes["c"] = ["c"], "completed"
    for n in range(1, MOVES + 1):
        effect(e, "c", "move", "move", number=n)
        body = {"crate": "c", "number": n}
        told(e, "watch.events", f"c#{n}", "watch.Followed", body)
    effect(e, "c", "glimpse", "glimpse", number=1)
    e.handed = {"h": [1, 2, 3]}
    for n in (1, 2, 3):
        effect(e, "h", "hand", "hand", number=n)
    for n in (3, 1):
        effect(e, "h", "count", "count", number=n)
    e.stamps = {"s": ["s:0", "s:1"]}
    effect(e, "s", "stamp", "stamp", number=1)
    e.limits = {("a", 0): ["l:0", "l:1"]}
    effect(e, "a", "limit", "limit", number=1)
    for asked, type in {
        "s:0": "Stamped",
        "s:1": "Stamped",
        "l:0": "Limited",
        "l:1": "Outdated",
    }.items():
        answered(e, ANSWERS, asked, f"desk.{type}", {"number": 1})
    e.calm = e.transformed = True
    return e


def effect(e: Evidence, saga: str, step: str, what: str = "do", number: int | None = None) -> None:
    """A row of the ledger; what is done with money is booked, published, and put on a board."""
    account = "a" if step == "money" else None
    if account:
        number = 1 + sum(r.account == account for r in e.effects)
        told(
            e,
            "money.events",
            f"booking {number}",
            "money.Booked",
            {"account": "a", "number": number},
            key="a",
        )
        offset = e.records[-1].offset
        told(e, BOARDS, "", "", {"of": e.records[-1].place, "offset": offset}, key="a")
    row = {"saga": saga, "step": step, "what": what, "standing": int(what == "undo")}
    e.effects = [*e.effects, SimpleNamespace(**row, account=account, number=number)]


def told(e: Evidence, topic: str, id: str, type: str, body: Any, key: str | None = None) -> None:
    """A message on the bus."""
    headers = [("ce_id", id), ("ce_type", type), ("ce_subject", key or "")]
    encoded = tuple((name, value.encode()) for name, value in headers)
    seen(e, Record(topic, key, json.dumps(body).encode(), encoded))


def answered(e: Evidence, topic: str, cause: str, type: str, body: Any) -> None:
    """An answer."""
    headers = (("ce_type", type.encode()), ("causationid", cause.encode()))
    seen(e, Record(topic, None, json.dumps(body).encode(), headers))


def seen(e: Evidence, record: Record) -> None:
    """A record, at the end of its topic."""
    e.records = [*e.records, record._replace(partition=0, offset=len(e.on(record.topic)))]


# --- falsifications


def drop(e: Evidence, **like: Any) -> None:
    """Takes the first such row out of the ledger."""
    e.effects = [r for r in e.effects if r is not find(e, **like)]


def repeat(e: Evidence, **like: Any) -> None:
    """Writes such a row once more, at the end."""
    e.effects = [*e.effects, find(e, **like)]


def swap(e: Evidence, one: dict[str, Any], two: dict[str, Any]) -> None:
    """Lets two rows change places."""
    rows = list(e.effects)
    i, j = rows.index(find(e, **one)), rows.index(find(e, **two))
    rows[i], rows[j] = rows[j], rows[i]
    e.effects = rows


def find(e: Evidence, **like: Any) -> Any:
    """The first row with these values."""
    return next(r for r in e.effects if vars(r).items() >= like.items())


def unsay(e: Evidence, topic: str, text: str = "") -> None:
    """The last such record was never seen."""
    last = [r for r in e.on(topic) if text.encode() in r.value][-1]
    e.records = [r for r in e.records if r is not last]


def retell(e: Evidence, topic: str, **changes: Any) -> None:
    """The first record of a topic is seen once more, changed."""
    e.records = [*e.records, e.on(topic)[0]._replace(**changes)]


def turn(e: Evidence, topic: str) -> None:
    """The records of a topic are seen in the other order."""
    there = e.on(topic)
    e.records = [*(r for r in e.records if r.topic != topic), *reversed(there)]


ID: dict[str, Any] = {"headers": (("ce_id", b"another"), ("ce_type", b"front.Done"))}

FALSE: dict[str, tuple[Fault, str, Callable[[Evidence], Any]]] = {
    # Every accepted start ends in one terminal state.
    "a saga does not end": ("lost", "has not ended", lambda e: e.outcomes.pop("GOOD")),
    "a saga ends otherwise": ("wrong", "ended as", lambda e: e.outcomes.update(LOST="completed")),
    "a crate's saga does not end": ("lost", "has not ended", lambda e: e.outcomes.pop("c")),
    "a bell is rung twice": ("doubled", "step ring", lambda e: repeat(e, saga="RUNG", step="ring")),
    "an unknown bell is not undone": (
        "lost",
        "not undone",
        lambda e: e.outcomes.update(RUNG="failed"),
    ),
    # One effect for each saga and step.
    "an effect is missing": ("lost", "no effect", lambda e: drop(e, saga="GOOD", step="parcel")),
    "an effect is there twice": (
        "doubled",
        "step goods",
        lambda e: repeat(e, saga="GOOD", step="goods"),
    ),
    "effects in another order": (
        "disorder",
        "GOOD (GOOD): effects",
        lambda e: swap(e, {"saga": "GOOD", "step": "goods"}, {"saga": "GOOD", "step": "parcel"}),
    ),
    "a step beside two that are side by side": (
        "disorder",
        "TWINS (TWINS): effects",
        lambda e: swap(e, {"saga": "TWINS", "step": "pack"}, {"saga": "TWINS", "step": "money"}),
    ),
    "an effect of nobody": ("wrong", "is no order", lambda e: effect(e, "nobody", "goods")),
    # Undos in reverse order, for what happened alone.
    "an undo is missing": ("lost", "not undone", lambda e: drop(e, saga="LOST", what="undo")),
    "an undo is there twice": ("doubled", "undo of", lambda e: repeat(e, saga="LOST", what="undo")),
    "undos in the steps' order": (
        "disorder",
        "undid",
        lambda e: swap(
            e,
            {"saga": "LOST", "step": "goods", "what": "undo"},
            {"saga": "LOST", "step": "money", "what": "undo"},
        ),
    ),
    "an undo of what did not happen": (
        "disorder",
        "undid",
        lambda e: effect(e, "DECLINED", "parcel", "undo"),
    ),
    "an undo of a saga that completed": (
        "disorder",
        "undid",
        lambda e: effect(e, "GOOD", "parcel", "undo"),
    ),
    # Published is what was committed, in the order of each key.
    "a booking is not published": ("lost", "not published", lambda e: unsay(e, "money.events")),
    "a booking that never was": (
        "wrong",
        "never happened",
        lambda e: told(e, "money.events", "x", "money.Booked", {"account": "a", "number": 99}),
    ),
    "bookings in another order": ("disorder", "bookings of", lambda e: turn(e, "money.events")),
    "a relay repeats without a reason": (
        "doubled",
        "published",
        lambda e: retell(e, "money.events"),
    ),
    "a saga tells its end under two ids": (
        "doubled",
        "2 ids",
        lambda e: retell(e, "front.events", **ID),
    ),
    "a saga does not tell its end": ("lost", "did not tell", lambda e: unsay(e, "front.events")),
    "a saga that failed tells an end": (
        "wrong",
        "told an end",
        lambda e: told(e, "front.events", "x", "front.Done", {"id": "LOST"}),
    ),
    # A command is answered always the same.
    "two answers to a command": (
        "doubled",
        "was answered in 2 ways",
        lambda e: retell(e, "orchestrate.replies", value=b"{}"),
    ),
    # What cannot be handled is not gone.
    "garbage is gone": ("lost", "not in dlt", lambda e: unsay(e, "dlt")),
    "an exhausted command is gone": ("lost", "not in chaos.dlq", lambda e: unsay(e, "chaos.dlq")),
    # The order of a key, across retries and what was sent again.
    "a move is missing": ("lost", "moves of c", lambda e: drop(e, what="move", number=3)),
    "a move is done twice": ("doubled", "moves of c", lambda e: repeat(e, what="move", number=3)),
    "moves in another order": (
        "disorder",
        "moves of c",
        lambda e: swap(e, {"what": "move", "number": 2}, {"what": "move", "number": 3}),
    ),
    "a hand behind a letter is missing": (
        "lost",
        "hands of h",
        lambda e: drop(e, what="hand", number=3),
    ),
    "a hand passes a letter": (
        "disorder",
        "hands of h",
        lambda e: swap(e, {"what": "hand", "number": 2}, {"what": "hand", "number": 3}),
    ),
    "a hand that waited is not counted": (
        "lost",
        "counts of h",
        lambda e: drop(e, what="count", number=1),
    ),
    "a hand is counted twice": (
        "doubled",
        "counts of h",
        lambda e: repeat(e, what="count", number=1),
    ),
    "a saga misses a move": ("lost", "as its saga saw it", lambda e: unsay(e, "watch.events")),
    "a saga sees moves in another order": (
        "disorder",
        "as its saga saw it",
        lambda e: turn(e, "watch.events"),
    ),
    "a saga sees a move twice": (
        "doubled",
        "saw move 1",
        lambda e: retell(e, "watch.events", **ID),
    ),
    "what comes at most once comes twice": (
        "doubled",
        "glimpse",
        lambda e: repeat(e, what="glimpse"),
    ),
    # Exactly once from topic to topic.
    "a record is not transformed": ("lost", "not transformed", lambda e: unsay(e, BOARDS)),
    "a record is transformed twice": ("doubled", "transformed", lambda e: retell(e, BOARDS)),
    "transformed in another order": ("disorder", "transformed", lambda e: turn(e, BOARDS)),
    # By key and by version.
    "two stamps": ("doubled", "stamp of", lambda e: repeat(e, what="stamp")),
    "no stamp": ("lost", "no stamp", lambda e: drop(e, what="stamp")),
    "who asked for a stamp is not answered": (
        "lost",
        "has no answer",
        lambda e: e.stamps.update(s=["x"]),
    ),
    "two answers with a stamp": (
        "doubled",
        "got several",
        lambda e: answered(e, ANSWERS, "s:1", "desk.Stamped", {"number": 2}),
    ),
    "two have their way": (
        "doubled",
        "2 had",
        lambda e: answered(e, ANSWERS, "l:1", "desk.Limited", {}),
    ),
    "nobody has their way": ("lost", "nobody", lambda e: e.limits.update({("a", 0): ["l:1"]})),
    "a version twice": ("doubled", "version 1", lambda e: repeat(e, what="limit")),
    "a version is jumped over": (
        "disorder",
        "versions",
        lambda e: effect(e, "a", "limit", "limit", 3),
    ),
    # Recovery is bounded.
    "it takes too long": ("lost", "not well after", lambda e: setattr(e, "recovery", 61.0)),
}


def test_all_is_well() -> None:
    """Nothing is found where nothing is wrong."""
    assert violations(honest()) == []


@pytest.mark.parametrize("what", FALSE)
def test_what_does_not_hold_is_found(what: str) -> None:
    """By its kind, and with what it is about."""
    fault, text, falsify = FALSE[what]
    evidence = honest()
    falsify(evidence)
    found = violations(evidence)
    assert any(v.fault == fault and text in v.text for v in found), found
