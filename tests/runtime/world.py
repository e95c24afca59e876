"""A small world of sagas on real servers: a deployed flow, a worker, and a scripted participant
that answers on the bus."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client

from dsl.load import Loaded, check_texts
from dsl.model import TopicModel
from orchestrator.compile.compile import compile_module
from orchestrator.deploy.deploy import Deployed, deploy
from orchestrator.messaging.bus import Bus, Reader
from orchestrator.messaging.deadletter import dead_letter_topic
from orchestrator.messaging.envelope import Envelope, EnvelopeError, from_record, to_record
from orchestrator.messaging.record import Record
from orchestrator.runtime import events, replies
from orchestrator.runtime.instances import Instances, Outcome
from orchestrator.runtime.starts import read_parameters, start_saga
from orchestrator.runtime.versions import Served
from orchestrator.runtime.worker import SagaWorker
from orchestrator.store.database import Database
from tests.runtime.eventually import eventually

#: `NAME` is the module, and begins the names of services and sagas: a world of its own.
FLOW = """
module NAME

policy quick { timeout: 700ms retry: fixed(attempts: 2, every: 100ms) dead_letter: "NAME.dlq" }
policy patient { timeout: 30s retry: none }

service NAMEwares {
  policy: quick
  command Take key id { id: string } replies Taken fails SoldOut
  command Put key id { id: string } replies PutBack
  event Taken key id { id: string  ref: string  n: int = 0 }
  event PutBack key id { id: string }
  event SoldOut key id { id: string  why: string }
  event Ordered key id { id: string  n: int }
  event Approved key id { id: string  n: int }
  event Bought key id { id: string  ref: string }
}
service NAMEbank {
  policy: quick
  command Pay key id { id: string } replies Paid fails Declined
  command Refund key id { id: string  ref: string } replies Refunded
  event Paid key id { id: string  ref: string }
  event Refunded key id { id: string }
  event Declined key id { id: string }
}

/// Sends the time.
saga NAMETimed(id: string) -> string key id {
  step a = NAMEbank.Refund(id: id, ref: string(now())) undo none
  return a.id
}

/// Four steps, as many as an order has.
saga NAMEFour(id: string) -> string key id within 10m {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  step b = NAMEbank.Pay(id: id) undo NAMEbank.Refund(id: id, ref: b.ref)
  step c = NAMEwares.Take(id: id) undo none
  step d = NAMEbank.Pay(id: id) undo none on exhausted { }
  emit NAMEwares.Bought(id: id, ref: a.ref)
  return a.ref + b.ref
}

/// The undo of the second step reads its reply.
saga NAMEBuy(id: string) -> string key id {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  step b = NAMEbank.Pay(id: id) with patient undo NAMEbank.Refund(id: id, ref: b.ref)
  return a.ref + b.ref
}

/// Steps with few attempts.
saga NAMEHasty(id: string) -> string key id {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  step b = NAMEbank.Pay(id: id) undo NAMEbank.Refund(id: id, ref: "-")
  return a.ref + b.ref
}

saga NAMELimited(id: string) key id within 1500ms {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  await NAMEwares.Approved
}

saga NAMESides(id: string) key id {
  parallel {
    branch l { step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id) }
    branch r { step b = NAMEbank.Pay(id: id) undo NAMEbank.Refund(id: id, ref: "-") }
  }
  fail "always"
}

saga NAMEWait(id: string, n: int) -> string
  key id
  starts on NAMEwares.Ordered as e with (id: e.id, n: e.n)
{
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  await NAMEwares.Approved as ok when ok.n > n within 20s on timeout { fail "nobody" }
  return string(ok.n)
}

/// Waits for an event of the kind that started it.
saga NAMEAgain(id: string) -> string
  key id
  starts on NAMEbank.Paid as e with (id: e.id)
{
  await NAMEbank.Paid as ok within 20s
  return ok.ref
}

/// Has no result that can be sent, for 0.
saga NAMEShare(id: string, n: int) -> float key id {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  return 1.0 / double(n)
}
"""

#: What a command is answered with when nothing is scripted.
USUAL = {
    "Take": ("wares.Taken", {"ref": "t", "n": 1}),
    "Put": ("wares.PutBack", {}),
    "Pay": ("bank.Paid", {"ref": "p"}),
    "Refund": ("bank.Refunded", {}),
}

Behaviour = Callable[["World", Envelope], Awaitable[None]]


async def usual(world: World, command: Envelope) -> None:
    """The reply of the contract."""
    type, data = USUAL[command.type.partition(".")[2]]
    await world.answer(command, type, data)


async def silent(world: World, command: Envelope) -> None:
    """No answer at all."""


def reply(type: str, **data: Any) -> Behaviour:
    """This answer; `type` is without the world's name."""
    return lambda world, command: world.answer(command, type, data)


def after(seconds: float, behaviour: Behaviour = usual) -> Behaviour:
    """A service that thinks for so long."""

    async def late(world: World, command: Envelope) -> None:
        await asyncio.sleep(seconds)
        await behaviour(world, command)

    return late


def when(event: asyncio.Event, behaviour: Behaviour = usual) -> Behaviour:
    """A service that answers when the test says so."""

    async def held(world: World, command: Envelope) -> None:
        await event.wait()
        await behaviour(world, command)

    return held


class World:
    """What a test touches. `script` holds behaviours by saga key and command, each used once and
    the last again and again; `seen` holds the paths of the commands that came, by saga id;
    `records` all that came on any topic."""

    def __init__(self, name: str, client: Client, bus: Bus, database: Database) -> None:
        self.name = name
        self.client = client
        self.bus = bus
        self.database = database
        self.instances = Instances(client)
        self.script: dict[tuple[str, str], list[Behaviour]] = {}
        self.seen: dict[str, list[str]] = defaultdict(list)
        self.commands: dict[str, Envelope] = {}
        self.records: list[Record] = []
        self.events_per_run: int | None = None
        self.gap = 60.0
        self.worker: SagaWorker
        self._numbers = 0
        self._stop = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._behaving: set[asyncio.Task[None]] = set()
        self._texts: dict[str, str] = {}

    # --- the world's parts

    async def deploy(self, flow: str = FLOW) -> list[Deployed]:
        """Deploys a flow whose module is NAME."""
        loaded = check_texts({f"{self.name}.flow": flow.replace("NAME", self.name)})
        return await self.deploy_loaded(loaded)

    async def deploy_loaded(self, loaded: Loaded) -> list[Deployed]:
        """Deploys a flow whose module is the world's name."""
        assert loaded.program, [str(d.message) for d in loaded.diagnostics]
        done = await deploy(loaded, self.client, self.bus, self.database)
        self.served = Served(compile_module(loaded.program, self.name), done[0].version)
        return done

    async def start_worker(self, window: float = 0.5) -> None:
        """Starts a worker and waits until it serves."""
        self._stop = asyncio.Event()
        self.worker = SagaWorker(
            self.client,
            self.bus,
            self.database,
            window,
            events_per_run=self.events_per_run,
            gap=self.gap,
        )
        self._serving = asyncio.create_task(self.worker.run(self._stop))
        await eventually(self._ready, "the worker is ready")

    def _ready(self) -> bool:
        assert self._serving
        if self._serving.done():
            self._serving.result()
        return self.worker.ready.is_set()

    async def stop_worker(self) -> None:
        """Stops the worker in order."""
        self._stop.set()
        if self._serving:
            async with asyncio.timeout(30):
                await self._serving
        self._serving = None

    @asynccontextmanager
    async def participating(self) -> AsyncIterator[None]:
        """Answers commands while the block lasts."""
        names = [t.name for t in self.served.plan.topics]
        letters = [dead_letter_topic(t, events.GROUP) for t in self.served.topics]
        topics = sorted({*names, *letters, f"{self.name}.dlq", replies.DEAD_LETTERS.name})
        # Those that a worker makes, when it has not started yet.
        await self.bus.create_topics([TopicModel(name=t, partitions=1) for t in topics])
        reader = await self.bus.tap(topics)
        stop = asyncio.Event()
        task = asyncio.create_task(self._participate(reader, stop))
        try:
            yield
        finally:
            stop.set()
            await task
            await reader.close()

    async def _participate(self, reader: Reader, stop: asyncio.Event) -> None:
        while not stop.is_set():
            for record in await reader.poll(100, 0.1):
                self._take(record)

    def _take(self, record: Record) -> None:
        self.records.append(record)
        if not record.topic.endswith(".commands"):
            return
        command = from_record(record)
        saga, _, path = command.id.rpartition("#")
        self.seen[saga].append(path)
        self.commands[command.id] = command
        name = command.type.partition(".")[2]
        left = self.script.get((saga.partition("/")[2], name), [usual])
        behaviour = left.pop(0) if len(left) > 1 else left[0]
        task = asyncio.create_task(self._behave(behaviour, command))
        self._behaving.add(task)
        task.add_done_callback(self._behaving.discard)

    async def _behave(self, behaviour: Behaviour, command: Envelope) -> None:
        await behaviour(self, command)

    # --- messages

    async def answer(self, command: Envelope, type: str, data: Any, **change: Any) -> None:
        """Answers a command; `data` is a dict, which the id is added to, or bytes as they are."""
        if isinstance(data, dict):
            data = json.dumps({"id": command.key, **data}).encode()
        fields: dict[str, Any] = {
            "id": f"{command.id}:reply",
            "type": f"{self.name}{type}",
            "source": "/test",
            "time": datetime.now(UTC),
            "key": command.key,
            "data": data,
            "correlation_id": command.correlation_id,
            "causation_id": command.id,
        }
        assert command.reply_to
        record = to_record(
            Envelope(**{**fields, **change}), command.reply_to.topic, command.reply_to.partition
        )
        await self.bus.publish(record)

    async def event(self, type: str, key: str, id: str, data: bytes | None = None, **f: Any) -> str:
        """Publishes an event of the wares or the bank."""
        envelope = Envelope(
            id=id,
            type=f"{self.name}{type}",
            source="/test",
            time=datetime.now(UTC),
            key=key,
            data=json.dumps({"id": key, **f}).encode() if data is None else data,
        )
        service = type.partition(".")[0]
        await self.bus.publish(to_record(envelope, f"{self.name}{service}.events"))
        return id

    def on(self, topic: str) -> list[Record]:
        """What came on a topic."""
        return [r for r in self.records if r.topic == topic]

    def letter(self, id: str) -> Record | None:
        """The dead letter of a message, on whichever topic."""
        for record in self.records:
            if record.header("disposition") is not None:
                try:
                    if from_record(record).id == id:
                        return record
                except EnvelopeError:
                    continue
        return None

    # --- sagas

    def key(self) -> str:
        """A key that no other saga has."""
        self._numbers += 1
        return f"k{self._numbers}"

    async def start(self, saga: str, key: str, **more: Any) -> str:
        """Starts a saga and returns its id."""
        plan = self.served.plan.sagas[f"{self.name}.{self.name}{saga}"]
        given = read_parameters(plan, {"id": key, **more}, self.served.codec)
        return await start_saga(self.client, self.served, plan, given, events=self.events_per_run)

    async def end(self, id: str, limit: float = 30.0) -> Outcome:
        """How it ends."""
        async with asyncio.timeout(limit):
            return await self.instances.outcome(id)

    async def run(self, saga: str, key: str, **more: Any) -> Outcome:
        """Starts a saga and waits for its end."""
        return await self.end(await self.start(saga, key, **more))

    async def sent(self, id: str, path: str, times: int = 1) -> None:
        """Waits until a command was sent so often."""
        await eventually(
            lambda: self.seen[id].count(path) >= times, f"{id} sends {path} ({self.seen[id]})"
        )

    def undone(self, id: str) -> list[str]:
        """The undos that came, in order, each once."""
        return list(dict.fromkeys(p for p in self.seen[id] if p.endswith(":undo")))


@asynccontextmanager
async def world(
    name: str,
    client: Client,
    bus: Bus,
    database: Database,
    flow: str = FLOW,
    *,
    gap: float = 60.0,
) -> AsyncIterator[World]:
    """A deployed world with a worker that runs."""
    made = World(name, client, bus, database)
    made.gap = gap
    await made.deploy(flow)
    await made.start_worker()
    try:
        async with made.participating():
            yield made
    finally:
        await made.stop_worker()
