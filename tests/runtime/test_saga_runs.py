"""Long loops that go on from run to run, on real Temporal and Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecution

from orchestrator.messaging.envelope import Envelope
from orchestrator.runtime import room
from orchestrator.runtime.running import Running, find_running
from orchestrator.runtime.starts import AlreadyStartedError
from tests.runtime.eventually import eventually
from tests.runtime.replay import replay_all
from tests.runtime.world import FLOW, World, after, silent, usual

SAGAS = """
/// So many turns, then a failure.
saga NAMELong(id: string, times: int) key id {
  query done -> int = turns
  step first = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  var turns = 0
  let price = decimal("1.50")
  while turns < times {
    try {
      let ref = string(turns) + ":" + string(price)
      step a = NAMEbank.Pay(id: id) undo NAMEbank.Refund(id: id, ref: ref)
    } on Declined { }
    set turns = turns + 1
  }
  fail "after " + string(turns)
}

/// Adds what the events say, until it is enough.
saga NAMESum(id: string, enough: int) -> int key id {
  var sum = 0
  while sum < enough {
    step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
    await NAMEwares.Approved as ok
    set sum = sum + ok.n
  }
  return sum
}

saga NAMEShort(id: string) key id within 8s {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  while true { sleep 50ms }
}

/// From the pivot on it only goes forward, whichever run it is.
saga NAMEOn(id: string) -> int key id within 3s {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  pivot step b = NAMEbank.Pay(id: id) undo none on Declined { fail "declined" }
  var sum = 0
  while sum < 40 {
    await NAMEwares.Approved as ok
    set sum = sum + ok.n
  }
  return sum
}

/// Is told, asked and changed by many, all the time.
saga NAMEOpen(id: string, level: int) -> int key id {
  signal Tick { n: int }
  query state -> string = string(sum) + "/" + string(enough)
  update Raise { by: int } when by > 0 { set enough = enough + by }

  var enough = level
  var sum = 0
  while sum < enough {
    await Tick as t
    step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
    set sum = sum + t.n
  }
  if sum > 1000 { fail "too many" }
  return sum
}

/// Many at once, then a failure.
saga NAMEEach(id: string, items: list<int>) key id {
  let ns = for i in items parallel 5 {
    step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
    step b = NAMEbank.Pay(id: id)
      undo NAMEbank.Refund(id: id, ref: string(i))
      on Declined { fail "declined" }
    yield i
  }
  fail ns == items ? "all in order" : "not in order"
}

/// A loop that something runs beside.
saga NAMEBeside(id: string) key id {
  step first = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  parallel {
    branch l { while true { step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id) } }
    branch r { step b = NAMEbank.Pay(id: id) undo NAMEbank.Refund(id: id, ref: "-") }
  }
}
"""
WORLD = FLOW + SAGAS


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def small(shop: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Runs of few events; with three times as many a loop that cannot stop fails."""
    shop.events_per_run = 25
    monkeypatch.setattr(room, "_MOST_EVENTS", 80)
    yield
    shop.events_per_run = None


async def runs(shop: World, id: str) -> list[WorkflowExecution]:
    """All runs of a saga that Temporal lists, the last one first."""
    return [w async for w in shop.client.list_workflows(f'WorkflowId = "{id}"')]


async def in_run(shop: World, id: str, number: int) -> None:
    """Waits until a saga has come to its n-th run."""

    async def there() -> bool:
        return (await shop.instances.show(id)).instance.runs >= number

    await eventually(there, f"{id} is in run {number}")


async def approve(shop: World, key: str, numbers: range, n: int = 1) -> None:
    """So many events, each with an id of its own."""
    for number in numbers:
        await shop.event("wares.Approved", key, f"{key}-{number}", n=n)


async def test_a_hundred_turns_are_undone_across_runs(shop: World) -> None:
    """Each turn is done once and undone once, last first, with the values that it was done with,
    whichever run did or undoes it; `show` and `list` see one saga."""
    key = shop.key()
    id = await shop.start("Long", key, times=100)
    outcome = await shop.end(id, 90)
    assert (outcome.status, outcome.reason) == ("failed", "after 100")
    paid = list(dict.fromkeys(p for p in shop.seen[id] if not p.endswith(":undo")))
    assert paid == ["first", *(f"a[{i}]" for i in range(100))]
    assert shop.undone(id) == [*(f"a[{i}]:undo" for i in reversed(range(100))), "first:undo"]
    assert b'"ref":"99:1.50"' in shop.commands[f"{id}#a[99]:undo"].data

    detail = await shop.instances.show(id)
    done = [e.path for e in detail.course.entries]
    assert done == [*paid, *shop.undone(id)]
    assert detail.outcome == outcome
    assert detail.instance.runs > 5
    listed = [i for i in await shop.instances.list("runsLong", None, False, 50) if i.id == id]
    assert [replace(i, version=detail.instance.version) for i in listed] == [detail.instance]
    chain = await eventually(lambda: all_runs(shop, id, detail.instance.runs), "all are listed")
    first = min(chain, key=lambda w: w.start_time)
    assert abs((detail.instance.started - first.start_time).total_seconds()) < 1
    assert detail.course.events == sum(w.history_length for w in chain)
    assert await shop.client.get_workflow_handle(id).query("done") == 100
    handle = shop.client.get_workflow_handle(id, run_id=first.run_id)
    events = [e.event_type for e in (await handle.fetch_history()).events]
    # The task that ends a run does nothing else, which would be lost if it were refused.
    assert events[-2:] == [
        EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    ]


async def all_runs(shop: World, id: str, number: int) -> list[WorkflowExecution] | None:
    """All runs of a saga, when Temporal lists them."""
    found = await runs(shop, id)
    return found if len(found) == number else None


async def test_no_event_is_lost_or_taken_twice_at_a_boundary(shop: World) -> None:
    """Those that come early go on to the next runs, those that come between two runs wait for the
    next, and one that comes again does nothing."""
    key = shop.key()
    await shop.start("Sum", key, enough=90)
    id = f"{shop.name}Sum/{key}"
    await approve(shop, key, range(60))
    await in_run(shop, id, 3)
    await approve(shop, key, range(60))
    for start in range(60, 90, 5):
        await approve(shop, key, range(start, start + 5))
    assert (await shop.end(id, 60)).result == 90
    assert list(dict.fromkeys(shop.seen[id])) == [f"a[{i}]" for i in range(90)]


async def test_a_cancel_in_a_later_run_undoes_all(shop: World) -> None:
    """What earlier runs did, too."""
    key = shop.key()
    id = await shop.start("Sum", key, enough=500)
    await approve(shop, key, range(40))
    await shop.sent(id, "a[40]")
    await in_run(shop, id, 3)
    await shop.instances.cancel(id)
    assert (await shop.end(id)).status == "cancelled"
    assert shop.undone(id) == [f"a[{i}]:undo" for i in reversed(range(41))]


async def test_a_cancel_of_a_saga_that_does_not_wait_comes_into_effect(shop: World) -> None:
    """At the latest between two runs; nothing is left undone."""
    key = shop.key()
    id = await shop.start("Long", key, times=100_000)
    await in_run(shop, id, 3)
    await shop.instances.cancel(id)
    assert (await shop.end(id, 60)).status == "cancelled"
    paid = [p for p in dict.fromkeys(shop.seen[id]) if not p.endswith(":undo")]
    assert shop.undone(id) == [f"{p}:undo" for p in reversed(paid)]


async def test_a_deadline_counts_from_the_first_run(shop: World) -> None:
    """However many runs there were since."""
    key = shop.key()
    id = await shop.start("Short", key)
    await in_run(shop, id, 2)
    outcome = await shop.end(id)
    assert outcome.reason == "not done within 8s"
    instance = (await shop.instances.show(id)).instance
    assert instance.runs > 1
    assert instance.seconds and 7.9 < instance.seconds < 30
    assert shop.undone(id) == ["a:undo"]


async def test_after_the_pivot_neither_cancel_nor_deadline_ends_a_later_run(shop: World) -> None:
    """The next run knows that the pivot is passed."""
    key = shop.key()
    id = await shop.start("On", key)
    await approve(shop, key, range(30))
    await in_run(shop, id, 2)
    await asyncio.sleep(3)  # the deadline
    await shop.instances.cancel(id)
    await approve(shop, key, range(30, 40))
    assert (await shop.end(id)).result == 40
    assert shop.undone(id) == []


async def test_a_later_run_is_answered_on_the_durable_way(shop: World) -> None:
    """The answer finds the run that waits for it."""
    key, deliveries = shop.key(), iter([after(1.5), silent, after(0.1)])

    async def slowly(world: World, command: Envelope) -> None:
        mine = command.id.endswith("#a[30]")
        await (next(deliveries, usual) if mine else usual)(world, command)

    shop.script[key, "Take"] = [slowly]
    id = await shop.start("Sum", key, enough=35)
    await approve(shop, key, range(35))
    assert (await shop.end(id)).result == 35
    entries = (await shop.instances.show(id)).course.entries
    assert {e.path for e in entries if e.kind == "request"} >= {"a[30]"}


async def test_an_undo_that_is_parked_in_a_later_run_is_resolved(shop: World) -> None:
    """A person sees it, and decides; the rest is undone."""
    key = shop.key()
    shop.script[key, "Refund"] = [*([usual] * 40), silent, silent, silent, usual]
    id = await shop.start("Long", key, times=60)

    async def parked() -> str | None:
        return (await shop.instances.show(id)).instance.attention

    assert (await eventually(parked, "it is parked")).startswith("a[19]:undo: no answer")
    assert (await shop.instances.show(id)).instance.runs > 4
    assert await shop.instances.resolve(id, "retry") == "a[19]:undo"
    assert (await shop.end(id)).reason == "after 60"
    assert shop.undone(id)[-2:] == ["a[0]:undo", "first:undo"]


async def open_saga(shop: World, level: int) -> tuple[str, Running]:
    """A saga that is talked to, as a person talks to it."""
    id = await shop.start("Open", shop.key(), level=level)
    async with shop.database.reading() as session:
        running = await find_running(shop.client, session, id)

    async def begun() -> bool:
        return await running.query("state") == f"0/{level}"

    await eventually(begun, "it has begun")
    return id, running


async def test_no_signal_or_update_is_lost_or_made_twice_at_a_boundary(shop: World) -> None:
    """Many people talk to a saga at once, some of them twice; none is refused, whichever run hears
    them, and the next runs know whom the earlier ones heard."""
    id, running = await open_saga(shop, 40)

    async def talk(number: int) -> None:
        await running.signal("Tick", {"n": 1}, f"t{number}")
        if number % 4 == 0:
            await running.update("Raise", {"by": 1}, f"u{number}")

    async def all_talk() -> None:
        for begin in range(0, 40, 8):
            await asyncio.gather(*(talk(n) for n in range(begin, begin + 8)))
            # One at a time: Temporal keeps no second query while a task is under way.
            done, _, enough = (await running.query("state")).partition("/")
            assert 0 <= int(done) <= 40 <= int(enough) <= 50

    await all_talk()
    await shop.sent(id, "a[39]")
    assert (await shop.instances.show(id)).instance.runs > 2
    await all_talk()
    for number in range(10):
        await running.signal("Tick", {"n": 1}, f"last{number}")
    assert (await shop.end(id, 60)).result == 50
    assert list(dict.fromkeys(shop.seen[id])) == [f"a[{i}]" for i in range(50)]
    assert await running.query("state") == "50/50"


async def test_a_query_is_answered_while_later_runs_undo(shop: World) -> None:
    """The names are those that the saga had when it failed."""
    id, running = await open_saga(shop, 2000)
    key = id.partition("/")[2]
    shop.script[key, "Put"] = [*([usual] * 15), silent, silent, silent, usual]
    await asyncio.gather(*(running.signal("Tick", {"n": 1}) for _ in range(30)))
    await running.signal("Tick", {"n": 1970})

    async def parked() -> str | None:
        return (await shop.instances.show(id)).instance.attention

    await eventually(parked, "it is parked", 60)
    assert await running.query("state") == "2000/2000"
    await shop.instances.resolve(id, "retry")
    assert (await shop.end(id, 60)).reason == "too many"
    assert len(shop.undone(id)) == 31


async def test_turns_at_once_go_on_in_the_next_run(shop: World) -> None:
    """Those under way end first; each turn is done once and undone once, last first, and what they
    yield is in order."""
    key = shop.key()
    id = await shop.start("Each", key, items=list(range(30)))
    outcome = await shop.end(id, 90)
    assert (outcome.status, outcome.reason) == ("failed", "all in order")
    expected = [f"{s}[{i}]:undo" for i in reversed(range(30)) for s in ("b", "a")]
    assert shop.undone(id) == expected
    assert len(set(shop.seen[id])) == 120
    assert b'"ref":"29"' in shop.commands[f"{id}#b[29]:undo"].data
    assert (await shop.instances.show(id)).instance.runs > 3


async def test_a_cancel_stops_turns_at_once_in_a_later_run(shop: World) -> None:
    """All that any run began is undone."""
    key = shop.key()
    shop.script[key, "Pay"] = [*([usual] * 40), after(3)]
    id = await shop.start("Each", key, items=list(range(5000)))
    await in_run(shop, id, 2)
    await shop.sent(id, "b[42]")
    await shop.instances.cancel(id)
    assert (await shop.end(id, 60)).status == "cancelled"
    done = {p for p in shop.seen[id] if not p.endswith(":undo")}
    assert {f"{p}:undo" for p in done} == set(shop.undone(id))


async def test_a_loop_that_cannot_stop_fails_before_temporal_ends_it(shop: World) -> None:
    """It has something beside it; what it did is undone, in further runs."""
    id = await shop.start("Beside", shop.key())
    outcome = await shop.end(id, 60)
    assert outcome.reason and "too many turns for one run" in outcome.reason
    done = [p for p in dict.fromkeys(shop.seen[id]) if not p.endswith(":undo")]
    assert len(done) > 20
    assert sorted(shop.undone(id)) == sorted(f"{p}:undo" for p in done)
    assert shop.undone(id)[-1] == "first:undo"
    assert (await shop.instances.show(id)).instance.runs > 1


async def test_a_key_is_not_started_again_while_later_runs_go_on(shop: World) -> None:
    """An instance is all its runs."""
    key = shop.key()
    id = await shop.start("Sum", key, enough=40)
    await approve(shop, key, range(30))
    await in_run(shop, id, 2)
    with pytest.raises(AlreadyStartedError):
        await shop.start("Sum", key, enough=40)
    await approve(shop, key, range(30, 40))
    assert (await shop.end(id)).result == 40
    with pytest.raises(AlreadyStartedError):
        await shop.start("Sum", key, enough=40)


async def test_all_runs_are_of_the_version_that_the_first_began_with(shop: World) -> None:
    """A worker that is new, and a version that was deployed meanwhile, change nothing."""
    key = shop.key()
    id = await shop.start("Sum", key, enough=60)
    await approve(shop, key, range(30))
    await in_run(shop, id, 2)
    before = (await shop.instances.show(id)).instance.version
    await shop.stop_worker()
    await approve(shop, key, range(30, 60))
    await shop.deploy(WORLD.replace("1.50", "2.50"))
    await shop.start_worker()
    assert (await shop.end(id)).result == 60
    instance = (await shop.instances.show(id)).instance
    chain = await eventually(lambda: all_runs(shop, id, instance.runs), "all are listed")
    handles = [shop.client.get_workflow_handle(id, run_id=w.run_id) for w in chain]
    infos = [(await handle.describe()).raw_info.versioning_info for handle in handles]
    assert {i.deployment_version.build_id for i in infos} == {before}
    assert before != shop.served.version


async def test_all_runs_replay(shop: World) -> None:
    """Each run leaves a history that this code accepts again."""
    assert await replay_all(shop) > 60
