"""What people ask of the desk, and what they tell of crates: twice, at once, and in any order."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from orchestrator.messaging.envelope import Envelope, ReplyTo, to_record
from orchestrator.messaging.obituary import discarded, edited_id, sent_again
from orchestrator.messaging.record import Record
from tests.chaos.evidence import MOVES
from tests.chaos.participants import GAP
from tests.chaos.requests import ANSWERS

#: Where what stood behind a gap is given up.
LETTERS = ("depot.events.desk-events-dlt", "depot.events.orchestrate.events-dlt")

#: Where what cannot be read is, too.
TALLIED = "depot.events.tally-events-dlt"

#: Seconds after which a command is sent again: one whose handler broke has no answer.
_AGAIN = 4.0


class Errands:
    """Those of one scenario. `publish` waits until the bus has a record, `seen` is what passes on
    the bus."""

    def __init__(
        self,
        name: str,
        chance: random.Random,
        publish: Callable[[Record], Awaitable[None]],
        seen: Sequence[Record],
    ) -> None:
        self._name = name
        self._random = chance
        self._publish = publish
        self._seen = seen
        self._numbers = itertools.count()
        self._versions = itertools.count()
        self._limiting = asyncio.Lock()
        self._looked = 0
        self._answered: set[bytes] = set()
        self._letters: dict[str, Record] = {}
        self.crates: set[str] = set()
        self.handed: dict[str, Sequence[int]] = {}
        self.stamps: dict[str, Collection[str]] = {}
        self.limits: dict[tuple[str, int], Collection[str]] = {}

    async def run(self) -> None:
        """One of each kind, side by side."""
        await asyncio.gather(self.crate(), self.hands(), self.stamp(), self.limit())

    async def crate(self, *, gap: bool = False) -> str:
        """A crate's moves: the first one first, for it begins the sequence, the others in any
        order, one of them twice. With a `gap` one of them is published so late that the others
        were given up, and these are sent again. Returns when all of it is published."""
        crate = f"{self._name}-c{next(self._numbers)}"
        moves = list(range(2, MOVES + 1))
        late = moves.pop(self._random.randrange(len(moves) - 1)) if gap else None
        self._random.shuffle(moves)
        for number in (1, *moves, moves[0]):
            await self._tell("Moved", crate, number)
        await self._tell("Glimpsed", crate, 1)
        if late is not None:
            await asyncio.sleep(GAP + self._random.uniform(0.5, 2.0))
            await self._tell("Moved", crate, late)
        self.crates.add(crate)
        return crate

    async def hands(self) -> None:
        """A crate's hands, the second of which nobody can read: its letter holds those behind it
        until a person has put it right, or has discarded it."""
        crate = f"{self._name}-h{next(self._numbers)}"
        for number in (1, None, 3):
            await self._tell("Handed", crate, number)
        letter = await self._letter_of(crate)
        group, run = "desk-events", f"{crate}/1"
        if mended := self._random.random() < 0.5:
            again = sent_again(letter, "depot.events", group, run)
            value = json.dumps({"crate": crate, "number": 2}).encode()
            id = edited_id(f"{crate}:Handed:None").encode()
            headers = tuple((n, id if n == "ce_id" else v) for n, v in again.headers)
            await self._publish(again._replace(value=value, headers=headers))
        else:
            await self._publish(discarded(letter, "depot.events", group, run))
        self.handed[crate] = [1, 2, 3] if mended else [1, 3]

    async def _letter_of(self, crate: str) -> Record:
        while True:
            self._look()
            if crate in self._letters:
                return self._letters[crate]
            await asyncio.sleep(0.1)

    def _look(self) -> None:
        """At what is new on the bus: many wait for something of it."""
        new, self._looked = self._seen[self._looked :], len(self._seen)
        for record in new:
            if cause := record.header("causationid"):
                self._answered.add(cause)
            if record.topic == LETTERS[0] and record.key is not None:
                self._letters.setdefault(record.key, record)

    async def redrive(self) -> None:
        """Sends again what was given up behind a gap that has closed, in its order; until it is
        cancelled."""
        looked = 0
        while True:
            await asyncio.sleep(1.0)
            new, looked = self._seen[looked:], len(self._seen)
            letters = [r for r in new if r.topic in LETTERS and self._is_mine(r)]
            waiting = [r for r in letters if r.key not in self.crates]
            for letter in sorted(set(letters) - set(waiting), key=_number):
                await self._publish(Record("depot.events", letter.key, letter.value, _own(letter)))
            if waiting:
                looked = min(looked, *(self._seen.index(r) for r in waiting))

    async def stamp(self) -> None:
        """Two ask for one, under ids and on partitions of their own."""
        id = f"{self._name}-s{next(self._numbers)}"
        asked = [f"{id}:{n}" for n in range(2)]
        self.stamps[id] = asked
        accounts = (f"{self._name}-{self._random.randrange(99)}" for _ in asked)
        await asyncio.gather(
            *(
                self._ask(each, "Stamp", account, id=id)
                for each, account in zip(asked, accounts, strict=True)
            )
        )

    async def limit(self) -> None:
        """Two want another limit, of the version that both have seen."""
        async with self._limiting:
            version = next(self._versions)
            account = f"{self._name}-limits"
            asked = [f"{account}:{version}:{n}" for n in range(2)]
            self.limits[account, version] = asked
            await asyncio.gather(
                *(
                    self._ask(each, "Limit", account, version=version, limit=n)
                    for n, each in enumerate(asked)
                )
            )

    def _is_mine(self, letter: Record) -> bool:
        return (letter.key or "").startswith(f"{self._name}-c")

    async def _ask(self, asked: str, command: str, account: str, **fields: Any) -> None:
        """Until it is answered."""
        data = {"account": account, **fields}
        record = to_record(_made(asked, f"desk.{command}", account, data), "desk.commands")
        while True:
            await self._publish(record)
            for _ in range(int(_AGAIN / 0.1)):
                self._look()
                if asked.encode() in self._answered:
                    return
                await asyncio.sleep(0.1)

    async def _tell(self, event: str, crate: str, number: int | None) -> None:
        data = {"crate": crate, "number": number}
        id = f"{crate}:{event}:{number}"
        await self._publish(to_record(_made(id, f"depot.{event}", crate, data), "depot.events"))


def _made(id: str, type: str, key: str, data: dict[str, Any]) -> Envelope:
    return Envelope(
        id=id,
        type=type,
        source="/tests/chaos",
        time=datetime.now(UTC),
        key=key,
        data=json.dumps(data).encode(),
        reply_to=ReplyTo(ANSWERS),
    )


def _number(record: Record) -> int:
    number: int = json.loads(record.value)["number"]
    return number


def _own(letter: Record) -> tuple[tuple[str, bytes], ...]:
    """The headers that it had before it was given up."""
    return tuple((name, value) for name, value in letter.headers if name.startswith("ce_"))
