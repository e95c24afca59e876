"""Events on real servers: they start sagas, reach those that wait, or are dead letters."""

from __future__ import annotations

import asyncio

from temporalio.api.enums.v1 import EventType

from orchestrator.messaging.deadletter import EXCEPTION_MESSAGE
from orchestrator.messaging.record import Record
from orchestrator.store import unclaimed
from tests.runtime.eventually import eventually
from tests.runtime.replay import replay_all
from tests.runtime.world import World, when

SIGNALED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
LETTERS = "eventswares.events.orchestrate.events-dlt"


async def there(shop: World, id: str) -> bool:
    """Whether an instance was started."""
    return any(i.id == id for i in await shop.instances.list(None, None, False, 1000))


async def test_an_event_starts_a_saga_once_for_each_key(shop: World) -> None:
    """The same event twice, and another event of its key, start one saga."""
    key = shop.key()
    for id in ("e1", "e1", "e2"):
        await shop.event("wares.Ordered", key, f"{key}-{id}", n=1)
    id = f"eventsWait/{key}"
    await shop.sent(id, "a")
    other = shop.key()
    await shop.event("wares.Ordered", other, f"{other}-e", n=1)
    await shop.sent(f"eventsWait/{other}", "a")
    for each in (key, other):
        await shop.event("wares.Approved", each, f"{each}-ok", n=2)
    assert (await shop.end(id)).result == "2"
    assert shop.seen[id] == ["a"]
    runs = [w async for w in shop.client.list_workflows(f'WorkflowId = "{id}"')]
    assert len(runs) == 1


async def test_a_saga_tells_what_led_to_it(shop: World) -> None:
    """The commands of a saga name the event that started it as their cause."""
    key = shop.key()
    await shop.event("wares.Ordered", key, f"{key}-e", n=1)
    id = f"eventsWait/{key}"
    await shop.sent(id, "a")
    command = shop.commands[f"{id}#a"]
    assert (command.correlation_id, command.causation_id) == (id, f"{key}-e")


async def test_events_early_and_late(shop: World) -> None:
    """An event that came before its `await` counts, one that does not fit is passed over, and of
    two that fit the first is taken."""
    early, late = shop.key(), shop.key()
    go = asyncio.Event()

    async def held(world: World, command: object) -> None:
        await go.wait()
        await world.answer(command, "wares.Taken", {"ref": "t"})  # type: ignore[arg-type]

    shop.script[early, "Take"] = [held]
    ids = [await shop.start("Wait", early, n=3), await shop.start("Wait", late, n=3)]
    await shop.sent(ids[0], "a")
    for n in (1, 7, 9):
        await shop.event("wares.Approved", early, f"{early}-{n}", n=n)
    await _signals(shop, ids[0], 3)
    go.set()
    assert (await shop.end(ids[0])).result == "7"
    await shop.sent(ids[1], "a")
    await shop.event("wares.Approved", late, f"{late}-2", n=2)
    await shop.event("wares.Approved", late, f"{late}-4", n=4)
    assert (await shop.end(ids[1])).result == "4"


async def _signals(shop: World, id: str, count: int) -> None:
    async def come() -> bool:
        history = await shop.client.get_workflow_handle(id).fetch_history()
        return sum(e.event_type == SIGNALED for e in history.events) >= count

    await eventually(come, f"{count} signals for {id}")


async def test_the_event_that_starts_a_saga_is_not_awaited_by_it(shop: World) -> None:
    """A saga that waits for another event of the kind that started it gets another one."""
    key = shop.key()
    await shop.event("bank.Paid", key, f"{key}-first", ref="first")
    id = f"eventsAgain/{key}"
    await eventually(lambda: there(shop, id), "it is started")
    await shop.event("bank.Paid", key, f"{key}-second", ref="second")
    assert (await shop.end(id)).result == "second"


async def unclaimed_by(shop: World, key: str, *, count: int = 1) -> list[str]:
    """The ids of the events that are kept for a saga that waits, the last first, when there are so
    many."""

    async def kept() -> tuple[list[str]] | None:
        async with shop.database.reading() as session:
            found = await unclaimed.listed(session, "eventsWait", 1000)
        ids: list[str] = [e.event_id for e in found if e.saga_id == f"eventsWait/{key}"]
        return (ids,) if len(ids) == count else None

    (found,) = await eventually(kept, f"{count} events are kept for {key}")
    return found


async def test_events_that_come_before_their_saga_are_kept_for_it(shop: World) -> None:
    """It takes them in the order of their coming, before those that came after its start; then
    they are not listed any more."""
    key, go = shop.key(), asyncio.Event()
    shop.script[key, "Take"] = [when(go)]
    for id, n in (("low", 1), ("seven", 7), ("nine", 9)):
        await shop.event("wares.Approved", key, f"{key}-{id}", n=n)
    await shop.event("wares.Approved", key, f"{key}-nine", n=9)
    assert await unclaimed_by(shop, key, count=3) == [
        f"{key}-{n}" for n in ("nine", "seven", "low")
    ]
    await shop.event("wares.Ordered", key, f"{key}-e", n=3)
    id = f"eventsWait/{key}"
    await shop.sent(id, "a")
    await shop.event("wares.Approved", key, f"{key}-later", n=8)
    await _signals(shop, id, 1)
    go.set()
    assert (await shop.end(id)).result == "7"
    await unclaimed_by(shop, key, count=0)
    assert (await shop.instances.show(id)).course.entries[0].path == "a"


async def test_an_event_for_a_saga_that_has_ended_is_seen(shop: World) -> None:
    """It fits nothing any more, and is not gone."""
    key = shop.key()
    await shop.event("wares.Ordered", key, f"{key}-e", n=1)
    id = f"eventsWait/{key}"
    await shop.sent(id, "a")
    await shop.event("wares.Approved", key, f"{key}-ok", n=2)
    assert (await shop.end(id)).result == "2"
    await shop.event("wares.Approved", key, f"{key}-late", n=2)
    assert await unclaimed_by(shop, key) == [f"{key}-late"]


BAD = {
    "not JSON": (b"{", b"is not JSON"),
    "a missing field": (b'{"id": "x"}', b"`n` is missing"),
    "a wrong type": (b'{"id": "x", "n": "one"}', b"`n` must be an int"),
}


async def test_an_event_that_cannot_be_read_is_a_dead_letter(shop: World) -> None:
    """It is put aside with its reason, and the consumer goes on with those behind it."""
    key = shop.key()
    for name, (data, _) in BAD.items():
        await shop.event("wares.Ordered", key, f"{key}-{name}", data)
    await shop.bus.publish(Record("eventswares.events", key, b"no headers"))
    await shop.event("wares.Ordered", key, f"{key}-good", n=1)
    await shop.sent(f"eventsWait/{key}", "a")
    for name, (_, reason) in BAD.items():
        letter = await eventually(
            lambda id=f"{key}-{name}": shop.letter(id), f"a dead letter for {name}"
        )
        assert letter.topic == LETTERS
        assert letter.header("disposition") == b"poison"
        assert reason in (letter.header(EXCEPTION_MESSAGE) or b"")
    await eventually(
        lambda: any(r.value == b"no headers" for r in shop.on(LETTERS)), "a dead letter"
    )


async def test_an_event_that_temporal_refuses_is_a_dead_letter(shop: World) -> None:
    """A key that is too long for a workflow's id does not stop the worker."""
    await shop.event("wares.Ordered", "k" * 2000, "long-key", n=1)
    letter = await eventually(lambda: shop.letter("long-key"), "a dead letter")
    assert letter.header("disposition") == b"rejected"
    key = shop.key()
    await shop.event("wares.Ordered", key, f"{key}-good", n=1)
    await shop.sent(f"eventsWait/{key}", "a")


async def test_all_histories_replay(shop: World) -> None:
    """Replaying every history of this file leads to the same commands: sagas are deterministic."""
    running = await shop.instances.list(None, "running", False, 1000)
    await asyncio.gather(*(shop.instances.cancel(i.id) for i in running))
    assert await replay_all(shop) >= 8
