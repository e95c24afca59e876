"""A worker, a participant or a relay, as a process that a test starts, stops and kills."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from orchestrator import failpoint
from orchestrator.cli.logs import log_to_stderr
from orchestrator.messaging.bus import Bus, BusError
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.kafka_settings import KafkaSettings
from orchestrator.messaging.record import Record
from orchestrator.runtime import replies
from orchestrator.runtime.connect import connect
from orchestrator.runtime.worker import SagaWorker
from orchestrator.service import parking, runner
from orchestrator.service.relay import Relay
from orchestrator.store.database import Database
from tests.chaos import without
from tests.chaos.numbered import BOARDS
from tests.chaos.participants import DESKS, GAP, SERVICES

Role = Literal["worker", "participant", "relay", "desk", "transformer"]
Action = Literal["kill", "stop", "raise", "delay"]

#: Seconds until the broker gives a silent reader's partitions to others.
SESSION = 2.0
#: Seconds that a relay holds its buckets, and a desk the events that are due.
LEASE = 3.0
#: Seconds that the fast way waits.
WINDOW = 1.0


class PlannedError(Exception):
    """Raised at a point, because a test wants it."""


@dataclass(frozen=True)
class Orders:
    """What a process is to be. `point` is where, at its `hit`-th time, `action` happens; a delay
    takes `seconds`, for the whole process, and longer than others wait for it by default; a relay
    holds its buckets for `lease` seconds; a transformer reads `source`; `routes` are ports on the
    loopback and the proxies' ports to take instead; `mischief` is the seed for repeating and
    delaying what it publishes, 0 for none; `without` are protections to go without.
    """

    role: Role
    temporal: str
    kafka: str
    store: str
    services: str
    log: str
    point: str | None = None
    action: Action = "kill"
    hit: int = 1
    seconds: float = LEASE + 1.0
    lease: float = LEASE
    source: str = "money.events"
    routes: Mapping[str, int] = field(default_factory=dict)
    mischief: int = 0
    without: tuple[str, ...] = ()

    def to_json(self) -> str:
        """In one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Back from it."""
        return cls(**json.loads(text))


def main(orders: Orders, tell: Callable[..., None]) -> None:
    """Runs until SIGTERM; `tell` reaches the test."""
    log_to_stderr()
    parking._LEASE = LEASE  # who waits for another attempt is not to wait for long
    without.go(orders.without)
    if orders.point is not None:
        failpoint.arm(_Fuse(orders, tell).reached)
    asyncio.run(_serve(orders, tell))


class _Fuse:
    """What happens at a point."""

    def __init__(self, orders: Orders, tell: Callable[..., None]) -> None:
        self._orders = orders
        self._tell = tell
        self._left = orders.hit

    def reached(self, point: str) -> None:
        """Called at every point. The test hears of it before anything happens."""
        if point != self._orders.point or self._left == 0:
            return
        self._left -= 1
        if self._left:
            return
        self._tell(reached=point)
        match self._orders.action:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "raise":
                raise PlannedError(point)
            case "delay":
                time.sleep(self._orders.seconds)


async def _serve(orders: Orders, tell: Callable[..., None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    _detour(loop, {int(port): to for port, to in orders.routes.items()})
    settings = KafkaSettings(bootstrap=orders.kafka, session_timeout=SESSION)
    async with KafkaBus(settings) as kafka:
        bus = Mischief(kafka, orders.mischief) if orders.mischief else kafka
        match orders.role:
            case "worker":
                client = await connect(orders.temporal)
                async with Database(orders.store) as database:
                    worker = SagaWorker(client, bus, database, WINDOW, gap=GAP)
                    told = asyncio.create_task(_when(worker.ready, tell))
                    await worker.run(stop)
                    await told
            case "participant" | "desk":
                # Their own relays stay out of it: those are processes here.
                runner.Relay = _NoRelay  # type: ignore[misc, assignment]
                async with asyncio.TaskGroup() as tasks:
                    for service in DESKS if orders.role == "desk" else SERVICES:
                        tasks.create_task(service.serve(bus, orders.services, stop=stop))
                    tell(ready=True)
            case "transformer":
                tell(ready=True)
                group = f"boards-of-{orders.source}"
                await bus.transform([orders.source], group, _board, stop=stop)
            case "relay":
                async with Database(orders.services) as database:
                    tell(ready=True)
                    await Relay(database, bus, lease=orders.lease, idle=0.1).run(stop)


async def _board(record: Record) -> list[Record]:
    value = {"of": record.place, "offset": record.offset, "was": record.value.decode("latin-1")}
    return [Record(BOARDS, record.key, json.dumps(value).encode())]


async def _when(ready: asyncio.Event, tell: Callable[..., None]) -> None:
    await ready.wait()
    tell(ready=True)


def _detour(loop: Any, routes: Mapping[int, int]) -> None:
    """Connections to these ports go by a proxy: a broker's clients go where the broker says."""
    direct = loop.create_connection

    async def create_connection(
        factory: Any, host: Any = None, port: Any = None, **rest: Any
    ) -> Any:
        return await direct(factory, host, routes.get(port, port), **rest)

    loop.create_connection = create_connection


class Mischief:
    """A bus that takes some records twice, others late, and some answers after later ones."""

    def __init__(self, bus: Bus, seed: int) -> None:
        self._bus = bus
        self._random = random.Random(seed)
        self._late: set[asyncio.Task[None]] = set()
        self._passed = asyncio.Event()

    async def publish(self, record: Record) -> None:
        """Late by up to a second; or at once, and once more by up to two seconds later."""
        chance, is_answer = self._random.random(), record.topic == replies.TOPIC.name
        if chance < 0.1:
            await asyncio.sleep(self._random.uniform(0, 1.0))
        elif chance < 0.3 and is_answer:
            await self._overtaken()
        await self._bus.publish(record)
        if is_answer:
            self._passed.set()
            self._passed = asyncio.Event()
        if chance > 0.9:
            task = asyncio.create_task(self._again(record, self._random.uniform(0, 2.0)))
            self._late.add(task)
            task.add_done_callback(self._late.discard)

    async def publish_all(self, records: Sequence[Record]) -> dict[int, BusError]:
        """Each of them so."""
        told = await asyncio.gather(*map(self.publish, records), return_exceptions=True)
        failed: dict[int, BusError] = {}
        for place, error in enumerate(told):
            if isinstance(error, BusError):
                failed[place] = error
            elif error is not None:
                raise error
        return failed

    async def _overtaken(self) -> None:
        """Until another command's answer has passed, if there is one."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await self._passed.wait()

    async def _again(self, record: Record, after: float) -> None:
        await asyncio.sleep(after)
        await self._bus.publish(record)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)


class _NoRelay:
    """In a participant's place of a relay."""

    def __init__(self, *_: Any) -> None: ...

    def wake(self) -> None: ...

    async def run(self, stop: asyncio.Event) -> None:
        """Waits for the end."""
        await stop.wait()

    async def flush(self, limit: float) -> None: ...


def redirect(path: str) -> None:
    """Both outputs to the end of a file."""
    sys.stdout.flush()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
