"""Cancels that meet what they cancel, on real servers."""

from __future__ import annotations

import asyncio

import pytest_asyncio
from temporalio.api.enums.v1 import EventType

from orchestrator.runtime.wire import EVENT, Arrival
from tests.runtime.eventually import eventually
from tests.runtime.replay import replay_all
from tests.runtime.world import FLOW, World, reply, silent, usual, when

ENDED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED

WORLD = (
    FLOW
    + """
/// Its second step is answered late.
saga NAMELate(id: string) -> string key id {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  step b = NAMEbank.Pay(id: id) with patient undo NAMEbank.Refund(id: id, ref: "-")
  return a.ref
}

/// Waits for an event.
saga NAMEAsk(id: string) -> string key id {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  await NAMEwares.Approved
  return a.ref
}

/// Waits for an event in one branch, and fails in the other.
saga NAMESplit(id: string) key id {
  parallel {
    branch l {
      step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
      await NAMEwares.Approved
      step c = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
    }
    branch r { step b = NAMEbank.Pay(id: id) undo NAMEbank.Refund(id: id, ref: "-") }
  }
}
"""
)


@pytest_asyncio.fixture(autouse=True, loop_scope="session", scope="module")
async def patient(shop: World) -> None:
    """A fast way that waits long: undos that are not answered stay within the task that sent
    them."""
    await shop.stop_worker()
    await shop.start_worker(window=3.0)


async def approved(shop: World, id: str, key: str) -> None:
    """Gives a saga its event; the server has it when this returns."""
    arrival = Arrival(f"{key}-ok", f"{shop.name}wares.Approved", {"id": key, "n": 1})
    await shop.client.get_workflow_handle(id).signal(EVENT, arrival)


async def none_pending(shop: World, id: str) -> bool:
    """Whether the server waits for no activity of a saga."""
    described = await shop.client.get_workflow_handle(id).describe()
    return not described.raw_description.pending_activities


async def test_an_answer_that_comes_while_its_saga_is_undone_changes_nothing(shop: World) -> None:
    """The server has the task that undoes it done again, and it undoes the same."""
    key, undone = shop.key(), asyncio.Event()
    shop.script[key, "Pay"] = [silent]
    shop.script[key, "Refund"] = [when(undone)]
    id = await shop.start("Late", key)
    await shop.sent(id, "b", times=2)
    await shop.instances.cancel(id)
    await shop.sent(id, "b:undo")
    await usual(shop, shop.commands[f"{id}#b"])
    await eventually(lambda: none_pending(shop, id), "the answer has come")
    undone.set()
    assert (await shop.end(id)).status == "cancelled"
    assert shop.undone(id) == ["b:undo", "a:undo"]


async def test_an_event_that_comes_while_its_saga_is_undone_changes_nothing(shop: World) -> None:
    """It does not bring the saga to an end with its steps undone."""
    key, undone = shop.key(), asyncio.Event()
    shop.script[key, "Put"] = [when(undone)]
    id = await shop.start("Ask", key)
    await shop.sent(id, "a")
    await eventually(lambda: waits(shop, id), "the saga waits")
    await shop.instances.cancel(id)
    await shop.sent(id, "a:undo")
    await approved(shop, id, key)
    undone.set()
    assert (await shop.end(id)).status == "cancelled"
    assert shop.undone(id) == ["a:undo"]


async def test_a_branch_that_is_stopped_does_not_go_on_after_its_undo(shop: World) -> None:
    """Its event comes while it is undone for the failure of another one."""
    key, undone = shop.key(), asyncio.Event()
    shop.script[key, "Put"] = [when(undone)]
    shop.script[key, "Pay"] = [reply("bank.Declined")]
    id = await shop.start("Split", key)
    await shop.sent(id, "l.a:undo")
    await approved(shop, id, key)
    undone.set()
    assert (await shop.end(id)).status == "failed"
    assert set(shop.seen[id]) == {"l.a", "r.b", "l.a:undo"}


async def waits(shop: World, id: str) -> bool:
    """Whether the task in which the saga began has ended."""
    history = await shop.client.get_workflow_handle(id).fetch_history()
    return any(e.event_type == ENDED for e in history.events)


async def test_all_of_them_replay(shop: World) -> None:
    """Whatever the server had done again."""
    assert await replay_all(shop) >= 3
