"""`exhausted: park`, on real Temporal and Kafka."""

from __future__ import annotations

from tests.runtime.eventually import eventually
from tests.runtime.replay import replay_all
from tests.runtime.world import FLOW, World, silent, usual

WORLD = (
    FLOW
    + """
policy waiting extends quick { exhausted: park }

saga NAMEPatient(id: string) -> string key id {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  step b = NAMEbank.Pay(id: id) with waiting undo NAMEbank.Refund(id: id, ref: b.ref)
  return b.ref
}
"""
)


async def listed(shop: World, id: str) -> str | None:
    """What an instance needs attention for."""
    running = await shop.instances.list(None, "running", attention=True, limit=100)
    return next((i.attention for i in running if i.id == id), None)


async def at_the_end_of_its_attempts(shop: World) -> str:
    """A saga whose second step had no answer: the fast way, two attempts, and then it is."""
    key = shop.key()
    shop.script[key, "Pay"] = [silent, silent, silent, usual]
    id = await shop.start("Patient", key)
    text = await eventually(lambda: listed(shop, id), "it is parked")
    assert text == "b: parkedbank.Pay failed: no answer within 0.7s in 2 attempts"
    return id


async def test_it_is_tried_again_under_its_id(shop: World) -> None:
    """The saga goes on from where it stood, and undoes nothing."""
    id = await at_the_end_of_its_attempts(shop)
    assert await shop.instances.resolve(id, "retry") == "b"
    assert (await shop.end(id)).result == "p"
    assert shop.undone(id) == []


async def test_given_up_it_compensates(shop: World) -> None:
    """The outcome is unknown: the step is undone too, and what was done before."""
    id = await at_the_end_of_its_attempts(shop)
    await shop.instances.resolve(id, "fail")
    outcome = await shop.end(id)
    assert outcome.reason == "parkedbank.Pay failed: no answer within 0.7s in 2 attempts"
    assert shop.undone(id) == ["b:undo", "a:undo"]


async def test_a_cancel_ends_the_wait(shop: World) -> None:
    """A saga that waits for a person is compensated like any other."""
    id = await at_the_end_of_its_attempts(shop)
    await shop.instances.cancel(id)
    assert (await shop.end(id)).status == "cancelled"
    assert shop.undone(id) == ["b:undo", "a:undo"]
    assert await listed(shop, id) is None


async def test_all_histories_replay(shop: World) -> None:
    """Every saga above leaves a history that this code accepts again."""
    assert await replay_all(shop) == 3
