"""A saga's signals on real servers: early, late, doubled, and what is none."""

from __future__ import annotations

from typing import Any

from tests.runtime.eventually import eventually
from tests.runtime.replay import replay_all
from tests.runtime.world import FLOW, World, silent, usual

WORLD = (
    FLOW
    + """
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
"""
)


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


async def test_all_histories_replay(shop: World) -> None:
    """Replaying every history of this file leads to the same commands."""
    assert await replay_all(shop) >= 3
