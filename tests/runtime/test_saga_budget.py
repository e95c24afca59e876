"""A run takes what its budget says: the history of real runs against `dsl.budget`."""

from __future__ import annotations

import pytest
from temporalio.api.enums.v1 import EventType

from dsl.budget.budget import Budget, budget
from dsl.budget.history import (
    ARRIVAL,
    ARRIVED,
    CLOCK,
    DURABLE,
    END,
    LIMIT,
    MARKER,
    SLEEP,
    START,
)
from dsl.load import check_texts
from tests.runtime.eventually import eventually
from tests.runtime.world import FLOW, World, after, reply

WORLD = (
    FLOW
    + """
saga NAMEOne(id: string) key id { step a = NAMEwares.Take(id: id) undo none }

saga NAMEUndone(id: string) key id {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  step b = NAMEbank.Pay(id: id) undo NAMEbank.Refund(id: id, ref: "-")
  fail "always"
}

saga NAMEStamped(id: string) key id {
  emit NAMEwares.Bought(id: id, ref: string(now()))
}

saga NAMESleep(id: string) key id { sleep 50ms }

saga NAMEAsk(id: string) key id { await NAMEwares.Approved within 20s }

saga NAMEUrgent(id: string) key id within 1h { emit NAMEwares.Bought(id: id, ref: "-") }

saga NAMENaps(id: string) key id { for _nap in [1, 2, 3] { sleep 50ms } }
"""
)


def _budget(shop: World, saga: str) -> Budget:
    name = shop.name
    program = check_texts({f"{name}.flow": WORLD.replace("NAME", name)}).program
    assert program
    return next(budget(s) for s in program.modules[name].sagas if s.name == f"{name}.{name}{saga}")


async def _timers(shop: World, id: str) -> bool:
    history = await shop.client.get_workflow_handle(id).fetch_history()
    return any(e.event_type == EventType.EVENT_TYPE_TIMER_STARTED for e in history.events)


async def _events(shop: World, id: str) -> int:
    history = await shop.client.get_workflow_handle(id).fetch_history()
    return len(history.events)


@pytest.mark.parametrize(
    ("saga", "events"),
    [
        ("One", START + MARKER + END),
        ("Four", START + 5 * MARKER + END),
        ("Undone", START + 4 * MARKER + END),
        ("Stamped", START + CLOCK + MARKER + END),
        ("Sleep", START + SLEEP + END),
        ("Urgent", START + MARKER + END),
        ("Naps", START + 3 * SLEEP + END),
    ],
)
async def test_a_run_without_delay(shop: World, saga: str, events: int) -> None:
    """Every answer comes at once: the events are those of the constants, to the last one."""
    id = await shop.start(saga, shop.key())
    await shop.end(id)
    assert await _events(shop, id) == events
    found = _budget(shop, saga)
    assert found.best.history <= events <= found.worst.history


async def test_a_slow_answer(shop: World) -> None:
    """A command that is not answered in the window takes its durable way."""
    key = shop.key()
    shop.script[key, "Take"] = [after(1.0)]
    id = await shop.start("One", key)
    await shop.end(id)
    assert await _events(shop, id) == START + MARKER + DURABLE + END


async def test_the_worst_way_back(shop: World) -> None:
    """All answers are slow, those of the undos too: no more than the worst case."""
    key = shop.key()
    for command in ("Take", "Pay", "Put", "Refund"):
        shop.script[key, command] = [after(1.0)]
    id = await shop.start("Undone", key)
    await shop.end(id)
    events = await _events(shop, id)
    assert events == START + 4 * (MARKER + DURABLE) + END
    assert events <= _budget(shop, "Undone").worst.history


async def test_an_event_that_comes(shop: World) -> None:
    """An awaited event wakes the saga, and its limit is cancelled."""
    key = shop.key()
    id = await shop.start("Ask", key)
    await eventually(lambda: _timers(shop, id), "the saga waits")
    await shop.event("wares.Approved", key, f"{key}-1", n=1)
    await shop.end(id)
    events = await _events(shop, id)
    assert events == START + ARRIVAL + LIMIT + END
    found = _budget(shop, "Ask")
    assert found.best.history == START + ARRIVED + END
    assert found.best.history <= events <= found.worst.history


async def test_a_failure_is_within_the_budget(shop: World) -> None:
    """A step that fails as declared, and the undo of the one before."""
    key = shop.key()
    shop.script[key, "Pay"] = [reply("bank.Declined", why="limit")]
    id = await shop.start("Buy", key)
    await shop.end(id)
    assert await _events(shop, id) <= _budget(shop, "Buy").worst.history
