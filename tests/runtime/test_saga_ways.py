"""The ways in which a saga can leave its course: cancelled, out of time, parked, restarted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.runtime import calls
from orchestrator.runtime.wire import RESOLVE, Resolution
from tests.runtime.eventually import eventually
from tests.runtime.replay import replay_all
from tests.runtime.world import World, after, reply, silent, usual, when


async def test_a_deadline_compensates_and_fails(shop: World) -> None:
    """A saga that is not done `within` its time undoes what it did and fails."""
    id = await shop.start("Limited", shop.key())
    outcome = await shop.end(id)
    assert (outcome.status, outcome.reason) == ("failed", "not done within 1.5s")
    assert shop.undone(id) == ["a:undo"]


async def test_a_deadline_in_mid_step_undoes_the_step(shop: World) -> None:
    """The step that was under way has an unknown outcome and is undone."""
    key = shop.key()
    shop.script[key, "Take"] = [after(5)]
    id = await shop.start("Limited", key)
    outcome = await shop.end(id)
    assert outcome.reason == "not done within 1.5s"
    assert shop.undone(id) == ["a:undo"]


async def test_a_saga_in_time_leaves_no_trace_of_its_deadline(shop: World) -> None:
    """A deadline that was met ends with the saga, and does not fail it later."""
    assert (await shop.run("Four", shop.key())).status == "completed"


# --- cancel


async def test_a_cancel_compensates(shop: World) -> None:
    """A waiting saga that is cancelled undoes everything, the step under way first."""
    key = shop.key()
    shop.script[key, "Take"] = [usual]
    id = await shop.start("Wait", key, n=1)
    await shop.sent(id, "a")
    assert await shop.instances.cancel(id) is None
    outcome = await shop.end(id)
    assert outcome.status == "cancelled"
    assert shop.undone(id) == ["a:undo"]


async def test_a_cancel_within_the_fast_window(shop: World) -> None:
    """A cancel that finds a command just sent is no failure of that command."""
    key = shop.key()
    shop.script[key, "Take"] = [silent]
    id = await shop.start("Hasty", key)
    await shop.sent(id, "a")
    await shop.instances.cancel(id)
    assert (await shop.end(id)).status == "cancelled"
    assert shop.undone(id) == ["a:undo"]


ASKED_AGAIN: dict[str, tuple[Any, list[str]]] = {
    "answers": (usual, ["b:undo", "a:undo"]),
    "refuses": (reply("bank.Declined"), ["a:undo"]),
}


@pytest.mark.parametrize(("behaviour", "undone"), ASKED_AGAIN.values(), ids=ASKED_AGAIN.keys())
async def test_a_cancelled_step_is_asked_again(
    shop: World, behaviour: Any, undone: list[str]
) -> None:
    """An undo that reads the reply of a step that was cancelled under way gets it first, on the
    durable way as well: the same command goes out once more."""
    key = shop.key()
    shop.script[key, "Pay"] = [silent, silent, after(1.0, behaviour)]
    id = await shop.start("Buy", key)
    await shop.sent(id, "b", times=2)
    await shop.instances.cancel(id)
    assert (await shop.end(id)).status == "cancelled"
    assert shop.undone(id) == undone
    if "b:undo" in undone:
        refund = next(r for r in shop.on("waysbank.commands") if b'"ref":"p"' in r.value)
        assert refund.header("ce_type") == b"waysbank.Refund"


async def test_a_cancel_during_compensation_changes_nothing(shop: World) -> None:
    """A saga that is on its way back goes on, and fails for its own reason."""
    key, go = shop.key(), asyncio.Event()
    shop.script[key, "Pay"] = [reply("bank.Declined")]
    shop.script[key, "Put"] = [when(go)]
    id = await shop.start("Hasty", key)
    await shop.sent(id, "a:undo")
    await shop.instances.cancel(id)
    go.set()
    outcome = await shop.end(id)
    assert (outcome.status, outcome.reason) == ("failed", "waysbank.Pay failed: Declined()")


async def test_a_cancel_of_what_has_ended_says_so(shop: World) -> None:
    """There is nothing left to cancel."""
    id = await shop.start("Hasty", shop.key())
    await shop.end(id)
    assert await shop.instances.cancel(id) == "completed"


# --- parked


async def parked(shop: World, id: str) -> str | None:
    """What an instance needs attention for, as the list shows it."""
    found = await shop.instances.list(None, "running", attention=True, limit=100)
    return next((i.attention for i in found if i.id == id), None)


async def test_a_parked_undo_is_listed_and_resolved(shop: World) -> None:
    """An undo without an answer waits for a person; a retry brings the saga to its end."""
    key, works = shop.key(), asyncio.Event()
    shop.script[key, "Pay"] = [reply("bank.Declined")]
    shop.script[key, "Put"] = [when(works)]
    id = await shop.start("Hasty", key)
    text = await eventually(lambda: parked(shop, id), "it is listed")
    assert text == "a:undo: no answer within 0.7s in 2 attempts"
    # What is no decision, and a decision on something else, change nothing.
    handle = shop.client.get_workflow_handle(id)
    await handle.signal(RESOLVE, Resolution("a:undo", "nonsense"))
    await handle.signal(RESOLVE, Resolution("b:undo", "skip"))
    works.set()
    assert await shop.instances.resolve(id, "retry") == "a:undo"
    outcome = await shop.end(id)
    assert outcome.reason == "waysbank.Pay failed: Declined()"
    assert await parked(shop, id) is None
    assert await shop.instances.resolve(id, "retry") is None


async def test_two_parked_branches_are_settled_one_after_the_other(shop: World) -> None:
    """The undos of parallel branches may park together; each comes into sight."""
    key = shop.key()
    shop.script[key, "Put"] = [silent]
    shop.script[key, "Refund"] = [silent]
    id = await shop.start("Sides", key)
    await shop.sent(id, "l.a:undo", times=3)
    await shop.sent(id, "r.b:undo", times=3)
    first = await eventually(lambda: parked(shop, id), "the first is listed")
    await asyncio.sleep(0)
    settled = {await shop.instances.resolve(id, "skip")}
    await eventually(lambda: _another(shop, id, first), "the second is listed")
    settled.add(await shop.instances.resolve(id, "skip"))
    assert settled == {"l.a:undo", "r.b:undo"}
    assert (await shop.end(id)).reason == "always"


async def _another(shop: World, id: str, first: str) -> bool:
    now = await parked(shop, id)
    return now is not None and now != first


async def test_a_parked_undo_can_be_given_up(shop: World) -> None:
    """`fail` ends the saga, and the reason says both why it failed and what is left."""
    key = shop.key()
    shop.script[key, "Pay"] = [reply("bank.Declined")]
    shop.script[key, "Put"] = [silent]
    id = await shop.start("Hasty", key)
    await eventually(lambda: parked(shop, id), "it is listed")
    await shop.instances.resolve(id, "fail")
    outcome = await shop.end(id)
    assert outcome.reason == "waysbank.Pay failed: Declined(); a:undo was given up"


# --- another worker


async def test_a_new_worker_goes_on_where_the_old_one_stopped(shop: World) -> None:
    """A worker that stops in mid-saga fails nothing: on the fast way, on the durable way, in an
    await, while parked."""
    slow, waits, stuck = shop.key(), shop.key(), shop.key()
    go = asyncio.Event()
    shop.script[slow, "Pay"] = [when(go)]
    shop.script[stuck, "Pay"] = [reply("bank.Declined")]
    shop.script[stuck, "Put"] = [when(go)]
    ids = [
        await shop.start("Buy", slow),
        await shop.start("Wait", waits, n=1),
        await shop.start("Hasty", stuck),
    ]
    await shop.sent(ids[0], "b", times=2)
    await eventually(lambda: parked(shop, ids[2]), "it is listed")
    await shop.sent(ids[1], "a")
    fast = [shop.key() for _ in range(20)]
    for key in fast:
        shop.script[key, "Take"] = [after(0.3)]
    ids += [await shop.start("Hasty", key) for key in fast]
    await shop.sent(ids[-1], "a")
    await shop.stop_worker()
    await shop.start_worker()
    go.set()
    await shop.event("wares.Approved", waits, "restart-approved", n=5)
    await shop.instances.resolve(ids[2], "retry")
    ends = await asyncio.gather(*(shop.end(i) for i in ids))
    assert [e.status for e in ends] == ["completed", "completed", "failed", *["completed"] * 20]


async def test_a_fast_way_that_stalls_is_no_failure(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it ends by force the durable way follows, also for a worker that replays it."""
    monkeypatch.setattr(calls, "FAST_LIMIT", timedelta(milliseconds=200))
    key = shop.key()
    shop.script[key, "Take"] = [silent, usual]
    outcome = await shop.run("Buy", key)
    assert (outcome.status, outcome.result) == ("completed", "tp")
    assert shop.seen[f"{shop.name}Buy/{key}"][:2] == ["a", "a"]


async def test_all_histories_replay(shop: World) -> None:
    """Replaying every history of this file leads to the same commands: sagas are deterministic."""
    assert await replay_all(shop) > 30
