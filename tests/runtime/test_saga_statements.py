"""Loops, choices, scopes, waits and the pivot, on real Temporal and Kafka."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

from orchestrator.runtime.history import read_course
from tests.runtime.eventually import eventually
from tests.runtime.replay import replay_all
from tests.runtime.world import FLOW, World, after, reply, silent, usual, when

WORLD = (
    FLOW
    + """
enum NAMEWay { PLAIN SPLIT }

service NAMEdepot {
  policy: quick
  command Fetch key id { id: string  n: int } replies Found | Awaited
  event Found key id { id: string  ref: string }
  event Awaited key id { id: string  days: int }
}

/// Every statement of the language.
saga NAMEAll(id: string, sizes: list<int>, way: NAMEWay, patience: duration) -> string
  key id
  within 10m
{
  var left = 0
  for n in sizes { set left = left + n }
  let refs = for n in sizes parallel 2 {
    step got = NAMEdepot.Fetch(id: id, n: n) undo NAMEwares.Put(id: id)
    match got {
      case Found as now { yield now.ref }
      case Awaited as later { sleep 300ms yield string(later.days) }
    }
  }
  try {
    step paid = NAMEbank.Pay(id: id) undo NAMEbank.Refund(id: id, ref: paid.ref)
    step extra = NAMEwares.Take(id: id) undo none
  } on NAMEwares.SoldOut as sold { set left = left + size(sold.why) }
  match way {
    case PLAIN { }
    case SPLIT {
      parallel {
        branch l { step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id) }
        branch r { sleep 100ms }
      }
    }
  }
  while left > 0 {
    race {
      on NAMEwares.Approved as a when a.n > 0 { set left = left - a.n }
      on NAMEbank.Refunded { fail "refunded" }
      after patience { set left = 0 }
    }
  }
  pivot step own = NAMEbank.Pay(id: id) undo none on Declined { fail "declined" }
  step last = NAMEwares.Take(id: id) on SoldOut { }
  if last == null { return "none" }
  emit NAMEwares.Bought(id: id, ref: own.ref)
  return refs[0] + refs[1] + own.ref
}

saga NAMESleep(id: string) key id within 1m {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  sleep 30s
}

/// Asks again and again, until it has been told so often.
saga NAMEPoll(id: string, times: int) -> int key id {
  var seen = 0
  while seen < times {
    step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
    set seen = seen + a.n
    await NAMEwares.Approved as ok within 20s on timeout { fail "nobody" }
    if ok.n < 0 { fail "enough" }
  }
  return seen
}

/// After its pivot neither a cancel nor its deadline ends it.
saga NAMEPivot(id: string) -> string key id within 3s {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  pivot step b = NAMEbank.Pay(id: id) undo none on Declined { fail "declined" }
  await NAMEwares.Approved
  step c = NAMEwares.Take(id: id) on SoldOut { return "sold out" }
  step d = NAMEwares.Put(id: id)
  return c.ref
}

/// Gives up what a scope did.
saga NAMEScope(id: string) key id {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  try {
    step b = NAMEwares.Take(id: id) undo NAMEbank.Refund(id: id, ref: "-")
    step c = NAMEbank.Pay(id: id) undo none
  } on Declined { sleep 30s }
}
"""
)


async def history(shop: World, id: str) -> WorkflowHistory:
    """What has happened so far."""
    return await shop.client.get_workflow_handle(id).fetch_history()


async def timers(shop: World, id: str, wanted: int) -> bool:
    """Whether so many timers run."""
    types = Counter(event.event_type for event in (await history(shop, id)).events)
    over = types[EventType.EVENT_TYPE_TIMER_FIRED] + types[EventType.EVENT_TYPE_TIMER_CANCELED]
    return types[EventType.EVENT_TYPE_TIMER_STARTED] - over == wanted


async def answered(shop: World, id: str, path: str) -> bool:
    """Whether a command's answer has come."""
    course = read_course([await history(shop, id)], shop.client.data_converter)
    return any(e.path == path and e.answer for e in course.entries)


def found(ref: str) -> Any:
    """The reply of a depot that has it."""
    return reply("depot.Found", ref=ref)


def scripted(shop: World) -> str:
    """A key for which the first thing is there, the second awaited, and the third sold out."""
    key = shop.key()
    shop.script[key, "Fetch"] = [found("x"), reply("depot.Awaited", days=3)]
    shop.script[key, "Take"] = [reply("wares.SoldOut", why="!"), usual]
    return key


async def test_a_saga_of_every_statement(shop: World) -> None:
    """It comes to its end: the scope was undone, the race was won by its time."""
    key = scripted(shop)
    id = await shop.start("All", key, sizes=[1, 2], way="SPLIT", patience="0.4s")
    outcome = await shop.end(id)
    assert outcome.result in ("x3p", "3xp"), outcome
    sent = list(dict.fromkeys(shop.seen[id]))
    assert sorted(sent[:2]) == ["got[0]", "got[1]"]
    assert sent[2:] == ["paid", "extra", "paid:undo", "l.a", "own", "last"]


async def test_a_new_worker_goes_on_in_every_wait(shop: World) -> None:
    """A worker that stops while turns of a loop sleep, in a race and in a loop fails nothing."""
    keys = [scripted(shop) for _ in range(3)]
    ids = [
        await shop.start("All", key, sizes=[1, 2], way="PLAIN", patience="60s") for key in keys[:2]
    ]
    shop.script[keys[2], "Take"] = [usual]
    polling = await shop.start("Poll", keys[2], times=2)
    await shop.sent(ids[1], "paid:undo")
    await shop.sent(polling, "a[0]")
    await shop.stop_worker()
    for key in keys:
        await shop.event("wares.Approved", key, f"{key}-0", n=0)
        await shop.event("wares.Approved", key, f"{key}-1", n=4)
    await shop.start_worker()
    for id in ids:
        assert (await shop.end(id)).result in ("x3p", "3xp")
    assert (await shop.end(polling)).result == 2


async def test_the_turns_of_a_loop_are_undone_last_first(shop: World) -> None:
    """Each turn's messages have ids of their own."""
    key = shop.key()
    id = await shop.start("Poll", key, times=9)
    for turn, n in enumerate((1, 1, -1)):
        await shop.sent(id, f"a[{turn}]")
        await shop.event("wares.Approved", key, f"{key}-{turn}", n=n)
    assert (await shop.end(id)).reason == "enough"
    assert shop.undone(id) == ["a[2]:undo", "a[1]:undo", "a[0]:undo"]


@pytest.mark.parametrize("saga", ["Sleep", "All"])
async def test_a_cancel_ends_a_wait_and_compensates(shop: World, saga: str) -> None:
    """A sleep and a race end at once."""
    key = scripted(shop)
    more: dict[str, Any] = {}
    if saga == "All":
        more = {"sizes": [1, 2], "way": "PLAIN", "patience": "60s"}
    else:
        shop.script[key, "Take"] = [usual]
    id = await shop.start(saga, key, **more)
    await shop.sent(id, "paid:undo" if saga == "All" else "a")
    await eventually(lambda: timers(shop, id, 2), "the deadline and the wait have begun")
    await shop.instances.cancel(id)
    assert (await shop.end(id, 10)).status == "cancelled"
    done = [p for p in shop.undone(id) if p != "paid:undo"]
    assert done == (["got[1]:undo", "got[0]:undo"] if saga == "All" else ["a:undo"])


# --- the pivot


async def test_after_the_pivot_neither_cancel_nor_deadline_ends_a_saga(shop: World) -> None:
    """It goes on to its end, and nothing is undone."""
    key = shop.key()
    id = await shop.start("Pivot", key)
    await eventually(lambda: answered(shop, id, "b"), "the pivot is passed")
    await shop.instances.cancel(id)
    await eventually(lambda: timers(shop, id, 0), "the deadline is over")
    await shop.event("wares.Approved", key, f"{key}-go", n=1)
    assert (await shop.end(id)).result == "t"
    assert shop.undone(id) == []


async def test_a_cancel_during_the_pivot_undoes_what_came_before(shop: World) -> None:
    """A pivot that has not answered has not been passed."""
    key = shop.key()
    shop.script[key, "Pay"] = [silent]
    id = await shop.start("Pivot", key)
    await shop.sent(id, "b", times=2)
    await shop.instances.cancel(id)
    assert (await shop.end(id)).status == "cancelled"
    assert shop.undone(id) == ["a:undo"]


async def test_a_cancel_that_finds_the_pivot_answered_is_dropped(shop: World) -> None:
    """On the fast way a cancel waits for the answer; when that comes, the pivot is passed."""
    key = shop.key()
    go = asyncio.Event()
    shop.script[key, "Pay"] = [when(go)]
    id = await shop.start("Pivot", key)
    await shop.sent(id, "b")
    await shop.instances.cancel(id)
    go.set()
    await shop.event("wares.Approved", key, f"{key}-go", n=1)
    assert (await shop.end(id)).result == "t"
    assert shop.undone(id) == []


async def listed(shop: World, id: str) -> str | None:
    """What an instance needs attention for."""
    running = await shop.instances.list(None, "running", attention=True, limit=100)
    return next((i.attention for i in running if i.id == id), None)


async def at_the_end_of_its_attempts(shop: World) -> str:
    """A saga that is parked at its first step after the pivot."""
    key = shop.key()
    shop.script[key, "Take"] = [usual, silent, silent, silent, usual]
    id = await shop.start("Pivot", key)
    await shop.sent(id, "b")
    await shop.event("wares.Approved", key, f"{key}-go", n=1)
    await eventually(lambda: listed(shop, id), "it is parked")
    return id


async def test_a_step_after_the_pivot_is_parked_and_tried_again(shop: World) -> None:
    """Without an answer a person has it tried again, and the saga goes on."""
    id = await at_the_end_of_its_attempts(shop)
    assert await shop.instances.resolve(id, "skip") == "c"
    await eventually(lambda: _says(shop, id, "it cannot be skipped"), "it is asked again")
    await shop.instances.resolve(id, "retry")
    assert (await shop.end(id)).result == "t"
    assert shop.undone(id) == []


async def test_a_step_after_the_pivot_is_given_up(shop: World) -> None:
    """The saga fails, and what was done stays."""
    id = await at_the_end_of_its_attempts(shop)
    await shop.instances.resolve(id, "fail")
    outcome = await shop.end(id)
    assert (outcome.status, shop.undone(id)) == ("failed", [])
    assert outcome.reason and "no answer" in outcome.reason


async def test_a_step_after_the_pivot_is_skipped(shop: World) -> None:
    """One whose answer nothing reads may be left out."""
    key = shop.key()
    shop.script[key, "Put"] = [silent]
    id = await shop.start("Pivot", key)
    await shop.event("wares.Approved", key, f"{key}-go", n=1)
    await eventually(lambda: listed(shop, id), "it is parked")
    assert await shop.instances.resolve(id, "skip") == "d"
    assert (await shop.end(id)).result == "t"


async def _says(shop: World, id: str, text: str) -> bool:
    return text in (await listed(shop, id) or "")


# --- scopes


async def test_an_undo_of_a_scope_that_is_given_up_ends_the_saga(shop: World) -> None:
    """The failure names what a person gave up."""
    key = shop.key()
    shop.script[key, "Pay"] = [reply("bank.Declined")]
    shop.script[key, "Refund"] = [silent]
    id = await shop.start("Scope", key)
    await eventually(lambda: listed(shop, id), "it is parked")
    await shop.instances.resolve(id, "fail")
    outcome = await shop.end(id, 10)
    assert (outcome.status, outcome.reason) == ("failed", "b:undo was given up")


async def test_a_cancel_while_a_scope_is_undone_loses_nothing(shop: World) -> None:
    """The scope is undone to its end, then the rest."""
    key = shop.key()
    shop.script[key, "Pay"] = [reply("bank.Declined")]
    shop.script[key, "Refund"] = [after(1.5)]
    id = await shop.start("Scope", key)
    await shop.sent(id, "b:undo", times=2)
    await shop.instances.cancel(id)
    assert (await shop.end(id, 15)).status == "cancelled"
    assert shop.undone(id) == ["b:undo", "a:undo"]


async def test_all_histories_replay(shop: World) -> None:
    """Every saga above leaves a history that this code accepts again."""
    assert await replay_all(shop) > 12
