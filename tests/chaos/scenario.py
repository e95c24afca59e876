"""Orders for the chaos shop while things break, and what became of them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import select
from temporalio.service import RPCError

from orchestrator.messaging.bus import BusError, Reader
from orchestrator.messaging.envelope import Envelope, to_record
from orchestrator.messaging.record import Record
from orchestrator.runtime.instances import Instances, UnknownInstanceError
from orchestrator.store.database import Database
from orchestrator.store.migrate import create_missing, migrate
from tests.chaos.arena import BURIED, LETTERS, Arena, Kind
from tests.chaos.child import Orders, Role
from tests.chaos.errands import Errands
from tests.chaos.evidence import ENDS, Evidence, Violation
from tests.chaos.invariants import violations
from tests.chaos.ledger import effects, metadata
from tests.chaos.numbered import BOARDS
from tests.chaos.nursery import Child
from tests.chaos.requests import ANSWERS

_runs = itertools.count()

_TOPICS = (
    *("goods.events", "money.events", "watch.events", "chaos.dlq"),
    *(ANSWERS, BOARDS, *LETTERS, *BURIED),
)

#: Where a scenario looks at its own alone.
_OURS = (
    *("goods.events", "money.events", "front.events", "depot.events", "watch.events"),
    *(ANSWERS, BOARDS),
)


class Scenario:
    """One run on a database of its own: processes are started with `start`, orders come with
    `order`, `verdict` waits for their ends and looks at everything. `proxied` servers are reached
    through their proxies, with `mischief` records are repeated and late, `without` are protections
    that all processes go without. Cancels come when a saga waits for its event; `rash` ones, at any
    time."""

    def __init__(
        self,
        arena: Arena,
        kind: Kind,
        *,
        seed: int = 1,
        mischief: bool = False,
        proxied: bool = False,
        without: Sequence[str] = (),
        rash: bool = False,
    ) -> None:
        self.arena, self.kind = arena, kind
        self.random = random.Random(seed)
        self.children: list[Child] = []
        self._rash = rash
        self._mischief, self._proxied, self._without = mischief, proxied, tuple(without)
        self._name = f"r{next(_runs)}"
        self._numbers = itertools.count()
        self._orders: dict[str, str] = {}
        self._outcomes: dict[str, str] = {}
        self._records: list[Record] = []
        self._letters: dict[str, set[bytes]] = {}
        self.errands = Errands(self._name, self.random, self._publish, self._records)
        self._errands: list[asyncio.Task[Any]] = []
        self._followed: set[str] = set()
        self._tasks: list[asyncio.Task[Any]] = []
        self._instances = Instances(arena.client)
        self._url = ""
        self._reader: Reader

    async def __aenter__(self) -> Self:
        self._url = await self.arena.new_database(self.kind)
        self._database = Database(self._url)
        await migrate(self._database.engine, "participant")
        await create_missing(self._database.engine, metadata)
        self._reader = await self.arena.bus.tap(_TOPICS)
        self.beside(self._hear())
        self.beside(self.errands.redrive())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(c.kill() for c in self.children))
        await self._reader.close()
        await self._database.close()

    @property
    def name(self) -> str:
        """Which all that is its own begins with."""
        return self._name

    # --- processes

    async def start(self, role: Role, **changes: Any) -> Child:
        """A new process; `changes` are fields of `Orders`."""
        arena, number = self.arena, len(self.children)
        temporal, store, url = arena.temporal.address, arena.stores[self.kind], self._url
        routes = {}
        if self._proxied:
            proxies = arena.proxies
            temporal = f"127.0.0.1:{proxies['temporal'].port}"
            routes = {str(arena.kafka.ports["broker"]): proxies["kafka"].port}
            if arena.postgres:
                ports = f":{arena.postgres.port}/", f":{proxies['postgres'].port}/"
                store, url = store.replace(*ports), url.replace(*ports)
        orders = Orders(
            role=role,
            temporal=temporal,
            kafka=arena.kafka.bootstrap,
            store=store,
            services=url,
            log=str(arena.folder / f"{self._name}-{number}-{role}.log"),
            routes=routes,
            mischief=self.random.getrandbits(31) if self._mischief else 0,
            without=self._without,
            **changes,
        )
        child = await arena.nursery.start(orders)
        self.children.append(child)
        return child

    @asynccontextmanager
    async def serving(self, *roles: Role) -> AsyncIterator[list[Child]]:
        """One process of each, ready."""
        started = [await self.start(role) for role in roles or ("worker", "participant", "relay")]
        for child in started:
            await self.until_ready(child)
        yield started

    async def until_ready(self, child: Child, limit: float = 60.0) -> None:
        """Waits until it serves."""
        async with asyncio.timeout(limit):
            await child.ready.wait()

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Goes on until the end of this scenario."""
        self._tasks.append(asyncio.create_task(work))

    # --- what happens

    async def order(self, kind: str) -> str:
        """Publishes an order; with its acknowledgement it is accepted."""
        id = f"{self._name}-{next(self._numbers)}"
        account = f"{self._name}-{self.random.randrange(3)}"
        body = {"id": id, "account": account, "kind": kind}
        made = Envelope(
            id=f"{id}:ordered",
            type="front.Ordered",
            source="/tests/chaos",
            time=datetime.now(UTC),
            key=id,
            data=json.dumps(body).encode(),
        )
        if kind == "EARLY":
            paid = replace(made, id=f"{id}:paid", type="front.Paid")
            data = json.dumps({"id": id}).encode()
            await self._publish(to_record(replace(paid, data=data), "front.events"))
        await self._publish(to_record(made, "front.events"))
        self._orders[id] = kind
        self.beside(self._follow(f"Buy/{id}", id))
        if kind == "CANCELLED":
            self.beside(self._cancel(id, self.random.uniform(0, 1.5)))
        return id

    async def order_all(self, rounds: int = 1) -> None:
        """So many orders of each kind."""
        await asyncio.gather(*(self.order(kind) for _ in range(rounds) for kind in ENDS))

    async def garbage(self) -> None:
        """A record that nobody can read, on each topic that is consumed."""
        for topic, letters in LETTERS.items():
            value = f"{self._name} garbage {next(self._numbers)}".encode()
            await self._publish(Record(topic, None, value))
            for topic in letters:
                self._letters.setdefault(topic, set()).add(value)

    async def repeat(self, topic: str) -> int:
        """Publishes again whatever was seen on a topic, last first; how many records it was."""
        seen = [r for r in self._records if r.topic == topic]
        for record in reversed(seen):
            again = Record(topic, record.key, record.value, record.headers, record.partition)
            await self._publish(again)
        return len(seen)

    async def feed(self, every: float, stop: asyncio.Event, most: int = 30) -> None:
        """Orders of all kinds in turn, errands and garbage, until `stop` is set; one in `every`
        seconds, and at most so many that have not come to their ends."""
        for number in itertools.count():
            await self.order(list(ENDS)[number % len(ENDS)])
            if number % 4 == 0:
                await self.garbage()
                self.run_errands(self.errands.run())
            if number % 8 == 0:
                self.run_errands(self.errands.crate(gap=True))
            # A slow machine gets no more than it brings to an end.
            while not await _is_set(stop, every) and self._open >= most:
                continue
            if stop.is_set():
                return

    def run_errands(self, work: Coroutine[Any, Any, Any]) -> None:
        """Goes on until it is done, which the verdict waits for."""
        self._errands.append(asyncio.create_task(work))
        self._tasks.append(self._errands[-1])

    async def verdict(self, limit: float = 90.0, *, calm: bool = False) -> list[Violation]:
        """What does not hold: once nothing is missing, or after `limit` seconds. `calm`: nothing
        happened that excuses a record that was published twice."""
        clock = asyncio.get_running_loop().time
        began = clock()
        while True:
            evidence = await self._evidence(calm)
            evidence.recovery, evidence.limit = clock() - began, limit
            found = violations(evidence)
            found += [Violation("lost", "an errand") for e in self._errands if not _done(e)]
            if clock() > began + limit or not any(v.fault == "lost" for v in found):
                return found
            await asyncio.sleep(0.3)

    async def settled(self, seconds: float = 3.0, *, calm: bool = False) -> list[Violation]:
        """What does not hold within so many seconds; returns at once when something does not."""
        end = asyncio.get_running_loop().time() + seconds
        while True:
            found = violations(await self._evidence(calm))
            if found or asyncio.get_running_loop().time() > end:
                return found
            await asyncio.sleep(0.1)

    @property
    def accepted(self) -> Mapping[str, str]:
        """The orders by id."""
        return self._orders

    @property
    def _open(self) -> int:
        return len(self._orders) - len(self._outcomes.keys() & self._orders.keys())

    async def _evidence(self, calm: bool) -> Evidence:
        async with self._database.reading() as session:
            rows = (await session.execute(select(effects).order_by(effects.c.id))).all()
        for crate in self.errands.crates - self._followed:
            self._followed.add(crate)
            self.beside(self._follow(f"Follow/{crate}", crate))
        mine = [r for r in rows if r.saga.startswith(f"{self._name}-")]
        records = [
            r
            for r in self._records
            if self._name.encode() + b"-" in r.value or r.topic not in _OURS
        ]
        return Evidence(
            *(self._orders, self._outcomes, mine, records, self._letters),
            crates=self.errands.crates,
            handed=self.errands.handed,
            stamps=self.errands.stamps,
            limits=self.errands.limits,
            transformed=any(c.orders.role == "transformer" for c in self.children),
            calm=calm,
        )

    # --- in the background

    async def _publish(self, record: Record) -> None:
        while True:
            try:
                await self.arena.bus.publish(record)
                return
            except BusError:
                await asyncio.sleep(0.2)

    async def _hear(self) -> None:
        while True:
            self._records += await self._reader.poll(500, 0.2)

    async def _follow(self, instance: str, id: str) -> None:
        """Its end, however often Temporal is away meanwhile."""
        while True:
            try:
                outcome = await self._instances.outcome(instance)
            except (UnknownInstanceError, RPCError):
                await asyncio.sleep(0.5)
            else:
                self._outcomes[id] = outcome.status
                return

    async def _cancel(self, id: str, after: float) -> None:
        await asyncio.sleep(after)
        while True:
            try:
                if not (self._rash or await self._waits(id)):
                    await asyncio.sleep(0.2)
                    continue
                await self._instances.cancel(f"Buy/{id}")
                return
            except (UnknownInstanceError, RPCError):
                await asyncio.sleep(0.2)

    async def _waits(self, id: str) -> bool:
        """Whether a saga has its answers and is at its `await`. Raises RPCError."""
        description = await self.arena.client.get_workflow_handle(f"Buy/{id}").describe()
        raw = description.raw_description
        busy = bool(raw.pending_activities) or raw.HasField("pending_workflow_task")
        answer = f"Buy/{id}#money".encode()
        return not busy and any(r.header("causationid") == answer for r in self._records)


async def _is_set(event: asyncio.Event, limit: float) -> bool:
    """Within so many seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit):
            await event.wait()
    return event.is_set()


def _done(errand: asyncio.Task[Any]) -> bool:
    """Raises what it raised."""
    if errand.done():
        errand.result()
    return errand.done()
