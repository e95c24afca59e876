"""A saga's signals, queries and updates on real servers: early, late, doubled, refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy

from orchestrator.runtime.running import Running, UnansweredError, UnknownInputError, find_running
from orchestrator.runtime.signature import InputError
from orchestrator.runtime.views import RefusedError
from orchestrator.runtime.wire import SagaInput
from tests.runtime.eventually import eventually
from tests.runtime.replay import replay_all
from tests.runtime.world import FLOW, World, silent, usual

SAGAS = """
/// Is told twice, after a step.
saga NAMETold(id: string) -> string key id {
  signal Approve { by: string  granted: bool = true }
  signal Note { text: string }

  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  await Approve as one when one.granted within 20s
  race {
    on Approve as two when two.by != one.by { return one.by + two.by }
    on Note as n { fail n.text }
    after 20s { return one.by }
  }
}

/// Counts up to a level that may be changed, before its step and after it.
saga NAMEOpen(id: string) -> string key id {
  signal Tick { n: int }
  query state -> string = progress + "/" + string(level)
  query ref -> string? = a.ref
  query count -> int = n
  query due -> timestamp = now() + 1h
  query half -> int = 10 / (level - 3)
  update Raise { to: int } when to > level { set level = to  set progress = "raised" }
  update Stamp { } when note == null { set note = string(now()) }
  update Split { by: int } { set level = 10 / by }

  var progress = "new"
  var level = 3
  var note: string? = null
  await Tick as first within 20s
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  var n = first.n
  while n < level {
    await Tick as t within 20s
    set n = n + t.n
  }
  let said = note
  return progress + (said != null ? "!" : "")
}
"""
WORLD = FLOW + SAGAS


@asynccontextmanager
async def opened(shop: World) -> AsyncIterator[tuple[str, Running]]:
    """A saga that waits for its first tick, as a person talks to it."""
    id = await shop.start("Open", shop.key())
    async with shop.database.reading() as session:
        running = await find_running(shop.client, session, id)

    async def begun() -> bool:
        return await running.query("state") == "new/3"

    await eventually(begun, "it has begun")
    yield id, running


async def events(shop: World, id: str) -> int:
    """How long a history is."""
    return len((await shop.client.get_workflow_handle(id).fetch_history()).events)


async def tell(shop: World, id: str, signal: str, payload: Any, told: str | None = None) -> None:
    """Sends a signal as any client of Temporal would."""
    handle = shop.client.get_workflow_handle(id)
    await handle.signal(signal, args=[payload] if told is None else [payload, told])


async def test_signals_before_and_after_they_are_awaited(shop: World) -> None:
    """An early one counts; what does not fit is passed over, and kept for one that it fits."""
    key = shop.key()
    shop.script[key, "Take"] = [silent, usual]
    id = await shop.start("Told", key)
    await tell(shop, id, "Approve", {"by": "ada", "granted": False})
    await tell(shop, id, "Approve", {"by": "bob"})
    await tell(shop, id, "Approve", {"by": "cyd"})
    assert (await shop.end(id)).result == "bobada"


async def test_a_signal_with_an_id_counts_once(shop: World) -> None:
    """Sent twice it is taken once; another kind of signal may use the same id."""
    key = shop.key()
    id = await shop.start("Told", key)
    await shop.sent(id, "a")
    for _ in range(2):
        await tell(shop, id, "Approve", {"by": "ada"}, "first")
    await tell(shop, id, "Note", {"text": "enough"}, "first")
    outcome = await shop.end(id)
    assert (outcome.status, outcome.reason) == ("failed", "enough")
    await eventually(lambda: shop.undone(id) == ["a:undo"], "it is undone")


async def test_a_signal_that_cannot_be_read_is_dropped(shop: World) -> None:
    """The saga goes on waiting for one that can."""
    key = shop.key()
    id = await shop.start("Told", key)
    for payload in ({"by": 7}, {}, "ada", None, {"by": "ada", "granted": "yes"}):
        await tell(shop, id, "Approve", payload)
    await tell(shop, id, "Approve", {"by": "bob"})
    await tell(shop, id, "Approve", {"by": "cyd"})
    assert (await shop.end(id)).result == "bobcyd"


async def test_queries_tell_what_is_known_by_then(shop: World) -> None:
    """Before a name is set an optional query is null, and another has no answer; a saga that has
    ended still answers."""
    async with opened(shop) as (id, running):
        assert await running.query("ref") is None
        assert datetime.fromisoformat(await running.query("due")) > datetime.now(UTC)
        with pytest.raises(RefusedError, match="`half` has no answer: divide by zero"):
            await running.query("half")
        with pytest.raises(RefusedError, match="`count` has no answer: `n` is not set yet"):
            await running.query("count")
        await running.signal("Tick", {"n": 9})
        assert (await shop.end(id)).result == "new"
        assert await running.query("ref") == "t"
        assert await running.query("count") == 9
        assert await running.query("state") == "new/3"


async def test_a_question_that_nobody_answers_is_told_in_our_words(
    shop: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without a worker a question waits for its time and says what is missing; Temporal keeps only
    so many of them, and one that is refused says so."""
    monkeypatch.setattr("orchestrator.runtime.running._ANSWER", timedelta(seconds=4))
    id = f"{shop.name}-nobody"
    await shop.client.start_workflow("Nobody", id=id, task_queue=id)
    async with opened(shop) as (_, running):
        lonely = Running(shop.client, id, "running", running._served, running._saga)
        asked = [lonely.query("state") for _ in range(4)]
        said = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(each) for each in said} == {UnansweredError}
    assert {str(each) for each in said} == {
        f"no worker answers for `{id}`: start one with `orchestrate worker`",
        f"too many questions wait for `{id}` already: its worker is away or busy; ask again in a "
        "moment",
    }
    assert "query buffer" not in "".join(capfd.readouterr())
    await shop.client.get_workflow_handle(id).terminate()


async def test_an_update_changes_what_the_saga_does(shop: World) -> None:
    """It is made at once, is seen by queries, and the loop goes by it."""
    async with opened(shop) as (id, running):
        await running.update("Raise", {"to": 5})
        assert await running.query("state") == "raised/5"
        await running.update("Stamp", {})
        for _ in range(4):
            await running.signal("Tick", {"n": 1})
        await shop.sent(id, "a")
        assert (await shop.instances.show(id)).outcome is None
        await running.signal("Tick", {"n": 1})
        assert (await shop.end(id)).result == "raised!"
        with pytest.raises(UnansweredError, match="has ended already"):
            await running.update("Raise", {"to": 9})


async def test_a_refused_update_leaves_no_trace(shop: World) -> None:
    """It is one sentence, and neither the variables nor the history know of it."""
    async with opened(shop) as (id, running):
        before = await events(shop, id)
        handle = shop.client.get_workflow_handle(id)
        for name, given, sentence in (
            ("Raise", {"to": 3}, "`Raise` is refused: `to > level` does not hold"),
            ("Split", {"by": 0}, "`Split` is refused: divide by zero"),
            ("Raise", {"to": "x"}, "input of `Raise`: `to` must be an int"),
            ("Raise", None, "input of `Raise`"),
        ):
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await handle.execute_update(name, given)
            assert sentence in str(refused.value.cause)
        assert await running.query("state") == "new/3"
        assert await events(shop, id) == before
        await running.signal("Tick", {"n": 3})
        assert (await shop.end(id)).result == "new"


async def test_an_update_with_an_id_is_made_once(shop: World) -> None:
    """Sent again under its id it is neither made nor refused again."""
    async with opened(shop) as (id, running):
        for _ in range(2):
            await running.update("Raise", {"to": 4}, "one")
        with pytest.raises(RefusedError, match="does not hold"):
            await running.update("Raise", {"to": 4}, "two")
        await running.signal("Tick", {"n": 4})
        assert (await shop.end(id)).result == "raised"


async def test_an_update_with_an_id_is_made_once_in_all_runs(shop: World) -> None:
    """It is known in a later run of a long saga as well."""
    shop.events_per_run = 10
    try:
        async with opened(shop) as (id, running):
            await running.update("Raise", {"to": 100}, "one")
            for n in range(12):
                await running.signal("Tick", {"n": 1}, str(n))
            await eventually(lambda: later_run(shop, id), "it goes on in another run")
            await running.update("Raise", {"to": 100}, "one")
            with pytest.raises(RefusedError, match="does not hold"):
                await running.update("Raise", {"to": 100}, "two")
            await running.signal("Tick", {"n": 99})
            assert (await shop.end(id)).result == "raised"
    finally:
        shop.events_per_run = None


async def later_run(shop: World, id: str) -> bool:
    """Whether a saga has gone on in another run."""
    described = await shop.client.get_workflow_handle(id).describe()
    return described.raw_info.first_run_id != described.run_id


async def test_an_update_may_come_with_the_start(shop: World) -> None:
    """It finds the variables that stand first; refused, it changes nothing."""
    plan = shop.served.plan.sagas["inputs.inputsOpen"]
    for to, state in ((7, "raised/7"), (2, "new/3")):
        key = shop.key()
        start = WithStartWorkflowOperation(
            plan.name,
            SagaInput({"id": key}),
            id=f"{plan.short}/{key}",
            task_queue="inputs",
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
        update = shop.client.execute_update_with_start_workflow(
            "Raise", {"to": to}, start_workflow_operation=start
        )
        if state == "new/3":
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await update
            assert "`to > level` does not hold" in str(refused.value.cause)
        else:
            await update
        assert await (await start.workflow_handle()).query("state") == state


async def test_what_is_not_declared_is_not_sent(shop: World) -> None:
    """A name that the saga does not have, and fields that do not fit, are refused beforehand."""
    async with opened(shop) as (id, running):
        for call, sentence in (
            (running.signal("Tik", {"n": 1}), r"has no signal `Tik`; did you mean `Tick`\?"),
            (running.signal("state", {}), "is no signal: use `orchestrate query`"),
            (running.query("nothing"), "has no query `nothing`; it has `state`, `ref`"),
            (running.signal("Tick", {"n": "1"}), "input of `Tick`: `n` must be an int"),
            (running.signal("Tick", {}), "input of `Tick`: `n` is missing"),
        ):
            with pytest.raises((UnknownInputError, InputError), match=sentence):
                await call
        await running.signal("Tick", {"n": 3}, "once")
        assert (await shop.end(id)).result == "new"


async def test_all_histories_replay(shop: World) -> None:
    """Replaying every history of this file leads to the same commands."""
    assert await replay_all(shop) >= 7
