"""A process that starts sagas and waits for their results."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import mean
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle

from orchestrator.runtime.starts import read_parameters, start_saga
from tests.bench.loop import ClosedLoop
from tests.bench.role import Parent, play
from tests.bench.saga.orders import SAGA, TRACKING, Kind, new_order, served
from tests.bench.saga.reference_messages import QUEUE

#: How many histories are read after a load.
SAMPLE = 20

#: Starts a new saga.
Start = Callable[[], Awaitable[WorkflowHandle[Any, Any]]]


async def starter(parent: Parent, config: dict[str, Any]) -> None:
    """Answers `alone` and `load`."""
    client = await Client.connect(config["temporal"])
    start = _ours(client) if Kind(config["kind"]) is Kind.OURS else _reference(client)
    parent.say(now="up")
    while asked := await parent.listen():
        if asked.pop("do") == "alone":
            await _alone(parent, start, **asked)
        else:
            await _load(parent, start, **asked)


async def _alone(parent: Parent, start: Start, count: int) -> None:
    """One after the other: seconds of each, and what the last one's history holds."""
    latencies = []
    for _ in range(count):
        began = time.perf_counter()
        handle = await _placed(start)
        latencies.append(time.perf_counter() - began)
    events = await _history(handle)
    parent.say(latencies=latencies, events=len(events), activities=_activities(events))


async def _load(parent: Parent, start: Start, in_flight: int, seconds: float) -> None:
    """So many at once for so long, then until the last one has ended, and all of it counts: in a
    window cut out of it, sagas that began together end together, inside or outside by chance."""
    placed: list[WorkflowHandle[Any, Any]] = []

    async def once() -> None:
        placed.append(await _placed(start))

    began = time.perf_counter()
    async with ClosedLoop(once, in_flight) as loop:
        await loop.count(seconds)
    parent.say(count=len(placed), seconds=time.perf_counter() - began)
    some = random.sample(placed, min(len(placed), SAMPLE))
    parent.say(activities=mean([_activities(await _history(handle)) for handle in some]))


async def _history(handle: WorkflowHandle[Any, Any]) -> Sequence[HistoryEvent]:
    return (await handle.fetch_history()).events


def _activities(events: Sequence[HistoryEvent]) -> int:
    return sum(e.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED for e in events)


async def _placed(start: Start) -> WorkflowHandle[Any, Any]:
    handle = await start()
    result = await handle.result()
    if result["tracking"] != TRACKING:
        raise RuntimeError(f"{handle.id} ended with {result}")
    return handle


def _ours(client: Client) -> Start:
    module = served()
    saga = module.plan.sagas[SAGA]

    async def start() -> WorkflowHandle[Any, Any]:
        parameters = read_parameters(saga, {"order": new_order()}, module.codec)
        return client.get_workflow_handle(await start_saga(client, module, saga, parameters))

    return start


def _reference(client: Client) -> Start:
    async def start() -> WorkflowHandle[Any, Any]:
        order = new_order()
        id = f"PlaceOrder/{order['order_id']}"
        return await client.start_workflow("PlaceOrder", order, id=id, task_queue=QUEUE)

    return start


if __name__ == "__main__":
    play(starter)
