"""Undos in steps of their own, on real Temporal and Kafka."""

from __future__ import annotations

import asyncio

from orchestrator.messaging.envelope import from_record
from tests.runtime.eventually import eventually
from tests.runtime.replay import replay_all
from tests.runtime.world import FLOW, World, reply, silent, usual, when

WORLD = (
    FLOW
    + """
saga NAMEBack(id: string, wait: bool) -> string key id {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  step b = NAMEbank.Pay(id: id)
    undo {
      step back = NAMEbank.Refund(id: id, ref: b.ref) with quick
      parallel {
        branch l { step put = NAMEwares.Put(id: back.id) with quick }
        branch r { sleep 50ms }
      }
      if wait { await NAMEwares.Approved as ok within 20s }
      emit NAMEwares.Bought(id: id, ref: b.ref)
    }
    on Declined { fail "declined" }
  step c = NAMEwares.Take(id: id) with patient undo none on SoldOut { fail "sold out" }
  return c.ref
}
"""
)

BLOCK = ["b:undo.back", "b:undo.l.put"]


def sold_out(shop: World) -> str:
    """A key whose last step fails."""
    key = shop.key()
    shop.script[key, "Take"] = [usual, reply("wares.SoldOut", why="!")]
    return key


def sent(shop: World, id: str) -> list[str]:
    """The undos that came, in order, each once."""
    return list(dict.fromkeys(p for p in shop.seen[id] if ":undo" in p))


def bought(shop: World, id: str) -> bool:
    """Whether the event of the block has come."""
    came = [from_record(r).id for r in shop.on(f"{shop.name}wares.events")]
    return f"{id}#b:undo.Bought" in came


async def test_a_block_undoes_a_step(shop: World) -> None:
    """All of it, before the step before is undone."""
    outcome = await shop.run("Back", key := sold_out(shop), wait=False)
    assert outcome.reason == "sold out"
    id = f"{shop.name}Back/{key}"
    assert sent(shop, id) == [*BLOCK, "a:undo"]
    commands = [from_record(r) for r in shop.on(f"{shop.name}wares.commands")]
    # What it takes back must not happen any more; a block's commands say no such thing.
    assert {c.id: c.undoes for c in commands if c.undoes} == {f"{id}#a:undo": f"{id}#a"}
    await eventually(lambda: bought(shop, id), "the event is published")


async def test_a_new_worker_goes_on_in_a_block(shop: World) -> None:
    """An event that comes while no worker is there is not lost."""
    key = sold_out(shop)
    id = await shop.start("Back", key, wait=True)
    await shop.sent(id, BLOCK[1])
    await shop.stop_worker()
    await shop.event("wares.Approved", key, f"{key}-go", n=1)
    await shop.start_worker()
    assert (await shop.end(id)).reason == "sold out"
    assert sent(shop, id) == [*BLOCK, "a:undo"]


async def test_a_cancel_runs_the_block(shop: World) -> None:
    """And another one changes nothing."""
    key = shop.key()
    shop.script[key, "Take"] = [usual, silent]
    go = asyncio.Event()
    shop.script[key, "Refund"] = [when(go)]
    id = await shop.start("Back", key, wait=False)
    await shop.sent(id, "c", times=2)
    await shop.instances.cancel(id)
    await shop.sent(id, BLOCK[0])
    await shop.instances.cancel(id)
    go.set()
    assert (await shop.end(id)).status == "cancelled"
    assert sent(shop, id) == [*BLOCK, "a:undo"]


async def test_a_block_is_repeated_under_its_ids(shop: World) -> None:
    """A person has it tried again from its beginning; participants know what they see."""
    key = sold_out(shop)
    shop.script[key, "Put"] = [silent, silent, silent, usual]
    id = await shop.start("Back", key, wait=False)
    found = await eventually(lambda: listed(shop, id), "it is parked")
    assert found.startswith(f"b:undo: {shop.name}wares.Put failed: no answer within 0.7s")
    before = shop.seen[id].count(BLOCK[0])
    assert await shop.instances.resolve(id, "retry") == "b:undo"
    assert (await shop.end(id)).reason == "sold out"
    assert shop.seen[id].count(BLOCK[0]) > before
    assert sent(shop, id) == [*BLOCK, "a:undo"]


async def listed(shop: World, id: str) -> str | None:
    """What an instance needs attention for."""
    running = await shop.instances.list(None, "running", attention=True, limit=100)
    return next((i.attention for i in running if i.id == id), None)


async def test_all_histories_replay(shop: World) -> None:
    """Every saga above leaves a history that this code accepts again."""
    assert await replay_all(shop) >= 4
