"""What a run is judged by: what was ordered, what was done, and what was seen on the bus."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestrator.messaging.record import Record

#: Steps that may come in any order: they run side by side.
TWINS = ("pack", "wrap")

#: By kind of order: how its saga ends, and the effects it comes to, in order.
ENDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "GOOD": ("completed", ("goods", "money", "parcel")),
    "SLOW": ("completed", ("goods", "money", "parcel")),
    "DECLINED": ("failed", ("goods",)),
    "LOST": ("failed", ("goods", "money")),
    "UNWEIGHED": ("failed", ("goods", "money")),
    # Or as many of them as it came to.
    "CANCELLED": ("cancelled", ("goods", "money")),
    "EARLY": ("completed", ("goods", "money", "parcel")),
    "TWINS": ("completed", ("goods", "money", *TWINS, "parcel")),
    # Or it failed, when nobody knows whether it was rung.
    "RUNG": ("completed", ("goods", "money", "ring", "parcel")),
}

#: Moves of each crate.
MOVES = 5

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
    into a dead-letter topic, by topic; `crates` are those whose moves were all published, `handed`
    has those hands of other crates that can be read; `stamps` and `limits` what was asked for, by
    order and by account and version: the commands' ids."""

    orders: dict[str, str]
    outcomes: dict[str, str]
    effects: Sequence[Any]
    records: Sequence[Record]
    letters: dict[str, set[bytes]] = field(default_factory=dict)
    crates: Collection[str] = ()
    handed: Mapping[str, Sequence[int]] = field(default_factory=dict)
    stamps: Mapping[str, Collection[str]] = field(default_factory=dict)
    limits: Mapping[tuple[str, int], Collection[str]] = field(default_factory=dict)
    #: Whether a transformer works.
    transformed: bool = False
    #: Seconds from the last fault until all was well, and how long that may take.
    recovery: float = 0.0
    limit: float = 0.0
    #: Whether nothing happened that could make a relay publish twice.
    calm: bool = False

    def on(self, topic: str) -> list[Record]:
        """What was seen on a topic."""
        return [r for r in self.records if r.topic == topic]

    def noted(self, what: str) -> dict[str, list[int]]:
        """The numbers of what the desk did, in the order of its doing, by what it is about."""
        found: dict[str, list[int]] = defaultdict(list)
        for row in self.effects:
            if row.what == what:
                found[row.saga].append(row.number)
        return found


def twice(found: Sequence[Any], what: str) -> Iterator[Violation]:
    """Whatever is there more than once."""
    for each, count in Counter(found).items():
        if count > 1:
            yield Violation("doubled", f"{what} {each}, {count} times")
