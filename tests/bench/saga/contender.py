"""One kind on servers of its own, ready to be measured slice by slice."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from orchestrator.dev.stack import DevStack
from tests.bench.child import Child
from tests.bench.cpu import OTHERS, Usage
from tests.bench.saga.orders import Kind, prepare

#: Seconds a service takes for its answer.
DELAY = 0.1


@dataclass(frozen=True, slots=True)
class Alone:
    """Sagas one after the other: the seconds of each, and the events and the activities in the
    last one's history."""

    latencies: list[float]
    events: int
    activities: int


@dataclass(frozen=True, slots=True)
class Slice:
    """What some seconds of load gave. `rate` is sagas/s, `cpu` seconds per saga by process,
    `others` how many cores everything else used meanwhile, `activities` the mean in a history
    (local ones not counted): more than in a saga alone, and the load made attempts time out."""

    rate: float
    cpu: dict[str, float]
    others: float
    activities: float


class Contender:
    """Fresh servers, participants, a worker and a starter, up while the context lasts."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        self.kind = kind
        self._folder = folder / kind
        self._up = AsyncExitStack()
        self._pids: dict[str, int] = {}

    async def alone(self, count: int) -> Alone:
        """So many sagas one after the other."""
        return Alone(**await self._starter.ask(do="alone", count=count))

    async def load(self, in_flight: int, seconds: float) -> Slice:
        """So many sagas at once for so long, and until the last one has ended."""
        usage = Usage(self._pids)
        told = await self._starter.ask(do="load", in_flight=in_flight, seconds=seconds)
        spent = usage.so_far()
        activities = (await self._starter.hear())["activities"]
        cpu = {name: each / told["count"] for name, each in spent.items()}
        took = told["seconds"]
        return Slice(told["count"] / took, cpu, spent[OTHERS] / took, activities)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as up:
            self._folder.mkdir()
            stack = DevStack(self._folder, ui=False, require_kafka=True)
            await up.enter_async_context(stack)
            await prepare(stack.addresses, self._folder)
            await self._start(up, stack)
            self._up = up.pop_all()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._up.__aexit__(*error)

    async def _start(self, up: AsyncExitStack, stack: DevStack) -> None:
        config = {
            "temporal": stack.addresses.temporal,
            "kafka": stack.addresses.kafka,
            "folder": str(self._folder),
            "kind": self.kind,
            "delay": DELAY,
        }

        async def process(name: str) -> Child:
            module = f"tests.bench.saga.{name}"
            return await up.enter_async_context(Child(module, self._folder, config))

        participants = await process("participants")
        worker = await process("our_worker" if self.kind is Kind.OURS else "reference_worker")
        self._starter = await process("starter")
        assert stack.temporal.pid and stack.kafka and stack.kafka.pid
        self._pids = {
            "worker": worker.pid,
            "temporal": stack.temporal.pid,
            "kafka": stack.kafka.pid,
            "participants": participants.pid,
            "starter": self._starter.pid,
        }
