"""Sends dead letters again: in their order, not too fast, and no further when they die again."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.messaging.bus import Bus, UndeliverableError
from orchestrator.messaging.deadletter import STEPS
from orchestrator.messaging.obituary import sent_again
from orchestrator.messaging.record import Record
from orchestrator.store import letter_deeds, letters
from orchestrator.store.database import Database
from orchestrator.store.letter_choice import Choice
from orchestrator.store.letters import Body, Letter, State

#: Letters of one claim, and the seconds for which they are this run's alone.
_PAGE, _LEASE = 500, 60.0

#: Seconds between two looks whether what was sent has died again.
_LOOK_EVERY = 0.25

#: What follows on the redrive of a saga's step: None, or why it does not.
Retry = Callable[[Letter], Awaitable[str | None]]


@dataclass(slots=True)
class Report:
    """What a redrive did. `refused` tells why letters were left as they are, and how many;
    `died_again` is how many came back while somebody looked, `stopped` why it ended early."""

    run: str
    redriven: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    died_again: int = 0
    stopped: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "run": self.run,
            "redriven": self.redriven,
            "refused": dict(self.refused),
            "died_again": self.died_again,
            "stopped": self.stopped,
        }


class Redrive:
    """One run, by `who`: at most `rate` letters a second (0: no limit), until `failures` of them
    have died again. A letter of a saga's step is not sent: `retry` has the saga try again."""

    def __init__(
        self,
        database: Database,
        bus: Bus | None,
        retry: Retry,
        *,
        run: str,
        who: str,
        rate: float = 100.0,
        failures: int = 1,
        settle: float = 5.0,
    ) -> None:
        self._database = database
        self._bus = bus
        self._retry = retry
        self._who = who
        self._rate = rate
        self._failures = failures
        self._settle = settle
        self.report = Report(run)

    async def run(self, choice: Choice) -> Report:
        """Redrives what is chosen and still waits. Raises StoreError, SQLAlchemyError, RPCError;
        what was sent by then is noted."""
        report, after, began = self.report, 0, time.monotonic()
        while not await self._over():
            async with self._database.transaction() as session:
                page = await letter_deeds.claim(
                    session, choice, report.run, after, self._size(), _LEASE
                )
            if not page:
                await self._watch()
                break
            after = page[-1].id
            await self._page(page)
            if report.stopped is None and self._rate:
                ahead = report.redriven / self._rate - (time.monotonic() - began)
                await asyncio.sleep(max(0.0, ahead))
        return report

    def _size(self) -> int:
        """A quarter of a second's letters, so that few are sent after the first has died again."""
        return max(1, min(_PAGE, int(self._rate / 4))) if self._rate else _PAGE

    async def _over(self) -> bool:
        report = self.report
        if report.stopped is None:
            async with self._database.reading() as session:
                report.died_again = await letters.came_back(session, report.run)
            if report.died_again >= self._failures:
                report.stopped = "they die again"
        return report.stopped is not None

    async def _watch(self) -> None:
        """The last ones may die again, too."""
        left = self._settle
        while self.report.redriven and left > 0 and not await self._over():
            await asyncio.sleep(min(left, _LOOK_EVERY))
            left -= _LOOK_EVERY

    async def _page(self, page: Sequence[Letter]) -> None:
        left, done = {letter.id: letter for letter in page}, list[Letter]()
        try:
            async with self._database.reading() as session:
                found = await letters.bodies(session, [*left])
            for some in _rounds(page):
                for letter in await self._send(some, found):
                    done.append(left.pop(letter.id))
                if self.report.stopped:
                    break
        finally:
            # Noted whatever ends the run, a Ctrl-C too: what is sent is not sent twice for nothing.
            run = self.report.run
            async with self._database.transaction() as session:
                await letter_deeds.settle(
                    session, done, run, State.REDRIVEN, self._who, f"run {run}"
                )
                await letter_deeds.release(session, [*left.values()], run)
            self.report.redriven += len(done)

    async def _send(self, some: Sequence[Letter], found: dict[int, Body]) -> list[Letter]:
        """Those of some letters, none two of one key, that are on their way."""
        sent, records = list[Letter](), list[tuple[Letter, Record]]()
        for letter in some:
            if letter.consumer == STEPS:
                if (reason := await self._retry(letter)) is None:
                    sent.append(letter)
                else:
                    self.report.refused[reason] += 1
            elif letter.topic is None:
                self.report.refused["it does not say which topic it was read from"] += 1
            else:
                records.append((letter, self._record(letter, letter.topic, found[letter.id])))
        return [*sent, *await self._publish(records)]

    async def _publish(self, records: Sequence[tuple[Letter, Record]]) -> list[Letter]:
        if not records:
            return []
        assert self._bus is not None, "opened when there are such letters"
        failed = await self._bus.publish_all([record for _, record in records])
        for error in failed.values():
            if isinstance(error, UndeliverableError):
                self.report.refused[str(error)] += 1
            else:
                self.report.stopped = str(error)
        return [letter for place, (letter, _) in enumerate(records) if place not in failed]

    def _record(self, letter: Letter, topic: str, body: Body) -> Record:
        key = None if body.key is None else body.key.decode("utf-8", "surrogateescape")
        record = Record(topic, key, body.value, body.headers)
        return sent_again(record, topic, letter.consumer, f"{self.report.run}/{letter.id}")


def _rounds(page: Sequence[Letter]) -> list[list[Letter]]:
    """The first of each key, then the second of each: a later one is not sent before the one before
    it has arrived."""
    rounds: list[list[Letter]] = []
    seen = Counter[tuple[str | None, str]]()
    for letter in page:
        number = 0
        if letter.key is not None:
            lane = (letter.topic, letter.key)
            number = seen[lane]
            seen[lane] += 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(letter)
    return rounds
