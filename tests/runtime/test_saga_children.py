"""Sagas that call sagas, on real Temporal and Kafka."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace
from temporalio.api.enums.v1 import EventType

from dsl.budget.budget import budget
from dsl.load import check_texts
from dsl.model import SagaModel
from orchestrator.runtime.running import find_running
from tests.runtime.eventually import eventually
from tests.runtime.replay import replay_all
from tests.runtime.world import FLOW, World, after, reply, silent, usual, when

WORLD = (
    FLOW
    + """
saga NAMEPart(id: string, wait: bool) -> string key id {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  step b = NAMEbank.Pay(id: id) with patient
    undo NAMEbank.Refund(id: id, ref: b.ref) on Declined { fail "declined" }
  if wait { await NAMEwares.Approved within 20s }
  return a.ref + b.ref
}

saga NAMEWhole(id: string, wait: bool) -> string key id {
  step first = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  step part = NAMEPart(id: id + "-c", wait: wait)
  step last = NAMEbank.Pay(id: id) with patient undo none on Declined { fail "no money" }
  return part
}

saga NAMETop(id: string) -> string key id {
  step whole = NAMEWhole(id: id + "-w", wait: false)
  step last = NAMEbank.Pay(id: id) with patient undo none on Declined { fail "no money" }
  return whole
}

saga NAMEPassed(id: string) -> string key id {
  pivot step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  await NAMEwares.Approved
  return a.ref
}

saga NAMEAround(id: string) -> string key id {
  step first = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  step part = NAMEPassed(id: id + "-c")
  sleep 20s
  return part
}

saga NAMEBeside(id: string) key id {
  parallel {
    branch l { step part = NAMEPart(id: id + "-c", wait: true) }
    branch r { step more = NAMEPart(id: id + "-d", wait: false) }
    branch s {
      await NAMEwares.Approved
      step paid = NAMEbank.Pay(id: id) undo none
    }
  }
}

saga NAMELong(id: string) key id {
  var left = 30
  while left > 0 {
    step taken = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
    set left = left - taken.n
  }
}

saga NAMEFar(id: string) key id {
  step long = NAMELong(id: id + "-c")
  step last = NAMEbank.Pay(id: id) with patient undo none on Declined { fail "no money" }
}

saga NAMESure(id: string) -> string key id {
  step part = NAMEPart(id: id + "-c", wait: false) on failed as why { return "no: " + why }
  return part
}

saga NAMEScope(id: string) -> string key id {
  try {
    step part = NAMEPart(id: id + "-c", wait: false)
    step again = NAMEPart(id: id + "-c", wait: false)
  } on failed as why { return why }
  return "both"
}
"""
)

declined = reply("bank.Declined")


def ids(shop: World, key: str) -> tuple[str, str]:
    """Of a `Whole` of this key, and of the saga that it calls."""
    return f"{shop.name}Whole/{key}", f"{shop.name}Part/{key}-c"


def loaded_saga(shop: World, name: str) -> SagaModel:
    """A saga of this file."""
    loaded = check_texts({"w.flow": WORLD.replace("NAME", shop.name)})
    assert loaded.program
    return loaded.program.saga(f"{shop.name}.{shop.name}{name}")


def undone(shop: World, key: str) -> list[str]:
    """The undos that came for a key and those made of it, in order, without their sagas' name."""
    sent = (id.removeprefix(shop.name) for id in shop.commands if id.endswith(":undo"))
    return [id for id in sent if id.partition("/")[2].partition("#")[0].partition("-")[0] == key]


async def test_a_result_is_the_steps_value(shop: World) -> None:
    """The called saga is an instance of its own, with its own result."""
    outcome = await shop.run("Whole", key := shop.key(), wait=False)
    assert outcome.result == "tp"
    whole, part = [await shop.instances.show(id) for id in ids(shop, key)]
    assert part.outcome and part.outcome.as_dict() == outcome.as_dict()
    assert (part.instance.caller, part.instance.version) == (
        whole.instance.id,
        whole.instance.version,
    )
    entry = next(e for e in whole.course.entries if e.path == "part")
    spent = budget(loaded_saga(shop, "Whole"))
    assert spent.best.history <= whole.course.events <= spent.worst.history
    assert (entry.kind, entry.message, entry.status, entry.data) == (
        *("saga", part.instance.id, "returned"),
        "tp",
    )


async def test_a_failure_is_the_steps_failure(shop: World) -> None:
    """It has undone itself; then the caller undoes what it did before."""
    key = shop.key()
    shop.script[f"{key}-c", "Pay"] = [declined]
    outcome = await shop.run("Whole", key, wait=False)
    assert outcome.reason == f"{shop.name}Part failed: declined"
    assert undone(shop, key) == [f"Part/{key}-c#a:undo", f"Whole/{key}#first:undo"]


async def test_a_failure_may_be_handled(shop: World) -> None:
    """With its reason."""
    key = shop.key()
    shop.script[f"{key}-c", "Pay"] = [declined]
    assert (await shop.run("Sure", key)).result == "no: declined"


async def test_a_later_failure_undoes_it(shop: World) -> None:
    """Its own undos, last first, with the answers that it had, before what was done before it."""
    key = shop.key()
    shop.script[key, "Pay"] = [declined]
    assert (await shop.run("Whole", key, wait=False)).reason == "no money"
    part = f"Part/{key}-c"
    assert undone(shop, key) == [f"{part}#b:undo", f"{part}#a:undo", f"Whole/{key}#first:undo"]
    refund = shop.commands[f"{shop.name}{part}#b:undo"]
    assert b'"ref": "p"' in refund.data or b'"ref":"p"' in refund.data
    detail = await shop.instances.show(f"{shop.name}{part}")
    assert detail.instance.status == "undone"
    assert detail.outcome and detail.outcome.status == "undone"
    course = (await shop.instances.show(f"{shop.name}Whole/{key}")).course
    assert [e.status for e in course.entries if e.kind == "saga"] == ["returned", "undone"]


async def test_sagas_that_these_call_are_undone_too(shop: World) -> None:
    """All the way down, each through itself."""
    key = shop.key()
    shop.script[key, "Pay"] = [declined]
    assert (await shop.run("Top", key)).reason == "no money"
    whole, part = f"Whole/{key}-w", f"Part/{key}-w-c"
    assert undone(shop, key) == [f"{part}#b:undo", f"{part}#a:undo", f"{whole}#first:undo"]


async def test_a_cancel_is_passed_on(shop: World) -> None:
    """What waits for an answer is undone by the called saga, before the caller goes on."""
    key = shop.key()
    shop.script[f"{key}-c", "Pay"] = [after(3)]
    id = await shop.start("Whole", key, wait=False)
    _, part = ids(shop, key)
    await shop.sent(part, "b", times=2)
    await shop.instances.cancel(id)
    assert (await shop.end(id)).status == "cancelled"
    assert (await shop.end(part)).status == "cancelled"
    assert undone(shop, key) == [
        *(f"Part/{key}-c#b:undo", f"Part/{key}-c#a:undo"),
        f"Whole/{key}#first:undo",
    ]


async def test_one_that_passed_its_pivot_ends_first(shop: World) -> None:
    """It does not hear of a cancel and is not undone; then its caller is cancelled."""
    key = shop.key()
    id = await shop.start("Around", key)
    part = f"{shop.name}Passed/{key}-c"
    await eventually(lambda: status(shop, part, "running"), "it runs")
    await shop.sent(part, "a")
    await shop.instances.cancel(id)
    await eventually(lambda: told(shop, part), "the cancel is passed on")
    await shop.event("wares.Approved", f"{key}-c", f"{key}-go", n=1)
    assert (await shop.end(id)).status == "cancelled"
    assert (await shop.end(part)).result == "t"
    assert undone(shop, key) == [f"Around/{key}#first:undo"]


async def test_a_branch_that_fails_stops_those_beside(shop: World) -> None:
    """One that runs undoes itself, one that has ended is undone."""
    key = shop.key()
    shop.script[key, "Pay"] = [declined]
    id = await shop.start("Beside", key)
    parts = [f"{shop.name}Part/{key}-{x}" for x in "cd"]
    await eventually(lambda: status(shop, parts[1], "completed"), "the one is done")
    await shop.sent(parts[0], "b")
    await shop.event("wares.Approved", key, f"{key}-go", n=1)
    assert (await shop.end(id)).status == "failed"
    assert [(await shop.instances.show(p)).instance.status for p in parts] == [
        *("cancelled", "undone")
    ]
    assert sorted(undone(shop, key)) == [
        f"Part/{key}-{x}#{step}:undo" for x in "cd" for step in "ab"
    ]


async def test_a_cancelled_saga_is_a_failed_step(shop: World) -> None:
    """A person may cancel the called one alone."""
    key = shop.key()
    id = await shop.start("Whole", key, wait=True)
    _, part = ids(shop, key)
    await shop.sent(part, "b")
    await shop.instances.cancel(part)
    assert (await shop.end(id)).reason == f"{shop.name}Part failed: `{part}` was cancelled"


async def test_a_key_has_one_saga(shop: World) -> None:
    """One that was started before, and one that was called before, are not called again."""
    key = shop.key()
    await shop.run("Part", f"{key}-c", wait=False)
    text = f"`{shop.name}Part/{key}-c` was started before, and a key has one saga"
    outcome = await shop.run("Whole", key, wait=False)
    assert outcome.reason == f"{shop.name}Part failed: {text}"
    assert undone(shop, key) == [f"Whole/{key}#first:undo"]


async def test_a_scope_undoes_it(shop: World) -> None:
    """The second call fails, the first one is undone, and the caller goes on."""
    key = shop.key()
    outcome = await shop.run("Scope", key)
    assert outcome.result == f"`{shop.name}Part/{key}-c` was started before, and a key has one saga"
    assert undone(shop, key) == [f"Part/{key}-c#b:undo", f"Part/{key}-c#a:undo"]


async def test_events_reach_it(shop: World) -> None:
    """It is an instance of its key as any other."""
    key = shop.key()
    id = await shop.start("Whole", key, wait=True)
    await shop.sent(ids(shop, key)[1], "b")
    await shop.event("wares.Approved", f"{key}-c", f"{key}-go", n=1)
    assert (await shop.end(id)).result == "tp"


async def test_an_undo_that_cannot_be_done_is_parked_there(shop: World) -> None:
    """A person decides about the called saga; the caller waits."""
    key = shop.key()
    shop.script[key, "Pay"] = [declined]
    shop.script[f"{key}-c", "Put"] = [silent, silent, silent, usual]
    id = await shop.start("Whole", key, wait=False)
    _, part = ids(shop, key)
    await eventually(lambda: parked(shop, part), "it is parked")
    assert await shop.instances.resolve(part, "retry") == "a:undo"
    assert (await shop.end(id)).reason == "no money"
    assert undone(shop, key)[-1] == f"Whole/{key}#first:undo"


async def test_an_undo_that_is_given_up_parks_the_caller(shop: World) -> None:
    """Nothing gets lost: the caller's own undo is a person's affair then."""
    key = shop.key()
    shop.script[key, "Pay"] = [declined]
    shop.script[f"{key}-c", "Put"] = [silent]
    id = await shop.start("Whole", key, wait=False)
    _, part = ids(shop, key)
    await eventually(lambda: parked(shop, part), "it is parked")
    await shop.instances.resolve(part, "fail")
    found = await eventually(lambda: parked(shop, id), "the caller is parked")
    assert found.startswith(f"part:undo: `{part}` is not undone: ")
    await shop.instances.resolve(id, "skip")
    assert (await shop.end(id)).reason == "no money"


async def test_a_new_worker_goes_on(shop: World) -> None:
    """In the middle of the called saga, and of what undoes it."""
    key = shop.key()
    go = asyncio.Event()
    shop.script[key, "Pay"] = [declined]
    shop.script[f"{key}-c", "Refund"] = [when(go)]
    id = await shop.start("Whole", key, wait=False)
    await shop.sent(ids(shop, key)[1], "b:undo")
    await shop.stop_worker()
    go.set()
    await shop.start_worker()
    assert (await shop.end(id)).reason == "no money"


async def test_one_that_is_ended_by_force_parks_its_undo(shop: World) -> None:
    """Nobody knows what it did."""
    key = shop.key()
    id = await shop.start("Whole", key, wait=True)
    _, part = ids(shop, key)
    await shop.sent(part, "b")
    await shop.client.get_workflow_handle(part).terminate()
    found = await eventually(lambda: parked(shop, id), "the caller is parked")
    assert found.startswith(f"part:undo: `{shop.name}Part` was ended by force")
    await shop.instances.resolve(id, "skip")
    assert (await shop.end(id)).reason.startswith(f"{shop.name}Part failed: `{part}` was ended by")
    assert undone(shop, key) == [f"Whole/{key}#first:undo"]


async def test_what_a_long_one_did_is_carried(shop: World) -> None:
    """From run to run of the called saga, and from there to its caller."""
    key = shop.key()
    shop.script[key, "Pay"] = [declined]
    shop.events_per_run = 20
    try:
        id = await shop.start("Far", key)
    finally:
        shop.events_per_run = None
    assert (await shop.end(id)).reason == "no money"
    long = f"{shop.name}Long/{key}-c"
    runs = [w async for w in shop.client.list_workflows(f'WorkflowId = "{long}"')]
    assert len(runs) > 3
    turns = [f"Long/{key}-c#taken[{n}]:undo" for n in reversed(range(30))]
    assert undone(shop, key) == turns


async def test_it_stays_on_its_callers_version(shop: World) -> None:
    """Whatever is deployed while the caller runs; also when it is undone."""
    key = shop.key()
    go = asyncio.Event()
    shop.script[key, "Take"] = [when(go)]
    shop.script[key, "Pay"] = [declined]
    id = await shop.start("Whole", key, wait=False)
    await shop.sent(id, "first", times=2)
    await shop.deploy(
        WORLD.replace("step b = NAMEbank.Pay", "step paid = NAMEbank.Pay").replace(
            "b.ref", "paid.ref"
        )
    )
    go.set()
    assert (await shop.end(id)).reason == "no money"
    assert undone(shop, key)[0] == f"Part/{key}-c#b:undo"
    assert (await shop.run("Whole", shop.key(), wait=False)).result == "tp"


async def test_one_of_another_module_runs_beside_its_caller(shop: World) -> None:
    """Its module need not be deployed; it can be looked at, asked and cancelled all the same."""
    name = shop.name
    outer = f"""
    module {name}
    from {name}parts import {name}Piece
    saga {name}Outer(id: string) -> string key id {{
      step piece = {name}Piece(id: id)
      return piece
    }}"""
    piece = (
        FLOW.partition("/// Sends the time.")[0]
        + """
    saga NAMEPiece(id: string) -> string key id {
      query far -> string = a.ref
      step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
      await NAMEwares.Approved within 20s
      return a.ref
    }"""
    )
    piece = piece.replace("NAME", name).replace(f"module {name}", f"module {name}parts")
    loaded = check_texts({"outer.flow": outer, "piece.flow": piece})
    await shop.deploy_loaded(replace(loaded, asked=(name,)))
    id = await shop.start("Outer", key := shop.key())
    called = f"{name}Piece/{key}"
    await shop.sent(called, "a")
    async with shop.database.reading() as session:
        running = await find_running(shop.client, session, called)
    assert await running.query("far") == "t"
    await shop.event("wares.Approved", key, f"{key}-go", n=1)
    assert (await shop.end(id)).result == "t"


async def status(shop: World, id: str, wanted: str) -> bool:
    """Whether an instance stands like that."""
    found = await shop.instances.list(None, None, attention=False, limit=1000)
    return any(i.id == id and i.status == wanted for i in found)


async def told(shop: World, id: str) -> bool:
    """Whether an instance was asked to cancel."""
    history = await shop.client.get_workflow_handle(id).fetch_history()
    asked = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
    return any(e.event_type == asked for e in history.events)


async def parked(shop: World, id: str) -> str | None:
    """What an instance needs attention for."""
    running = await shop.instances.list(None, "running", attention=True, limit=100)
    return next((i.attention for i in running if i.id == id), None)


async def test_each_is_listed_once(shop: World) -> None:
    """The run that undid it stands for it."""
    listed = await shop.instances.list(f"{shop.name}Part", None, attention=False, limit=1000)
    assert len({i.id for i in listed}) == len(listed)
    assert {"undone", "completed", "failed", "cancelled"} <= {i.status for i in listed}
    for status in ("undone", "completed"):
        some = await shop.instances.list(None, status, attention=False, limit=1000)
        assert some and {i.status for i in some} == {status}


async def test_all_histories_replay(shop: World) -> None:
    """Every saga above leaves a history that this code accepts again."""
    assert await replay_all(shop) >= 25
