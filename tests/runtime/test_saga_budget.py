"""A run takes what its budget says: the history of real runs against `dsl.budget`."""

from __future__ import annotations

import pytest
from temporalio.api.enums.v1 import EventType

from dsl.budget.budget import Budget, Budgets
from dsl.budget.cost import Cost
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
from orchestrator.messaging.envelope import Envelope, from_record
from tests.runtime import pricing
from tests.runtime.eventually import eventually
from tests.runtime.world import FLOW, World, after, reply, silent, usual

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

activity Book(id: string, days: duration) -> NAMEBooking from "tests.runtime.pricing:book"
activity Unbook(id: string, ref: string) from "tests.runtime.pricing:unbook"
record NAMEBooking { ref: string  size: string }

saga NAMETrip(id: string) key id with quick {
  step b = Book(id: id, days: 2d) undo Unbook(id: id, ref: b.ref)
  step c = NAMEbank.Pay(id: id) undo none
}

/// Nobody answers the second step, until its undo wants to know.
saga NAMELost(id: string) key id {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  step b = NAMEbank.Pay(id: id) undo NAMEbank.Refund(id: id, ref: b.ref)
}

saga NAMEBlock(id: string) key id {
  step a = NAMEwares.Take(id: id)
    undo {
      step b = NAMEwares.Put(id: id)
      emit NAMEwares.Bought(id: id, ref: b.id)
      step c = NAMEwares.Put(id: id)
    }
  fail "always"
}

/// A branch that fails stops the other two.
saga NAMEBeside(id: string) key id {
  parallel {
    branch l { step a = NAMEwares.Take(id: id) with patient undo NAMEwares.Put(id: id) }
    branch m { await NAMEwares.Approved within 20s }
    branch r { step b = NAMEbank.Pay(id: id) undo none on Declined { fail "no" } }
  }
}

saga NAMETried(id: string) key id {
  try {
    step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
    step b = NAMEbank.Pay(id: id) undo none
  } on Declined { emit NAMEwares.Bought(id: id, ref: "-") }
}

saga NAMEEach(id: string, items: list<string>) key id {
  for item in items {
    step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
    emit NAMEwares.Bought(id: id, ref: item)
  }
  fail "always"
}
"""
)


def _budget(shop: World, saga: str) -> Budget:
    name = shop.name
    program = check_texts({f"{name}.flow": WORLD.replace("NAME", name)}).program
    assert program
    return Budgets(program.modules[name].sagas).of(f"{name}.{name}{saga}")


async def _timers(shop: World, id: str) -> bool:
    history = await shop.client.get_workflow_handle(id).fetch_history()
    return any(e.event_type == EventType.EVENT_TYPE_TIMER_STARTED for e in history.events)


async def _events(shop: World, id: str) -> int:
    history = await shop.client.get_workflow_handle(id).fetch_history()
    return len(history.events)


def _letters(shop: World, id: str) -> list[Envelope]:
    """What came on the topic of dead letters from a saga."""
    found = map(from_record, shop.on(f"{shop.name}.dlq"))
    return [e for e in found if e.correlation_id == id]


def _published(shop: World, id: str) -> list[Envelope]:
    """The events that a saga published."""
    topics = [f"{shop.name}{service}.events" for service in ("wares", "bank")]
    found = [from_record(r) for topic in topics for r in shop.on(topic)]
    return [e for e in found if e.correlation_id == id]


async def _taken(shop: World, id: str, calls: int = 0) -> Cost:
    """What a run took, without its time."""
    sent = shop.seen[id]
    undos = [path for path in sent if ":undo" in path]
    return Cost(
        history=await _events(shop, id),
        commands=len(sent) - len(undos),
        events=len(_published(shop, id)),
        undos=len(undos),
        letters=len(_letters(shop, id)),
        calls=calls,
    )


async def _at_once(shop: World, saga: str, events: int) -> tuple[str, str]:
    """The id and the key of a run that took so many events, or of the third one: on a busy machine
    an answer may miss its window, and the durable way is another course."""
    for _ in range(3):
        key = shop.key()
        pricing.calls.pop(key, None)  # another file's saga may have had that key
        id = await shop.start(saga, key)
        await shop.end(id)
        if await _events(shop, id) == events:
            break
    return id, key


def _within(taken: Cost, most: Cost) -> bool:
    """Whether no part of a cost is more than in the other."""
    return all(a <= b for a, b in zip(taken, most, strict=True))


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
    id, _ = await _at_once(shop, saga, events)
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
    """An awaited event wakes the saga, which first asked for those that came before it, and its
    limit is cancelled."""
    key = shop.key()
    id = await shop.start("Ask", key)
    await eventually(lambda: _timers(shop, id), "the saga waits")
    await shop.event("wares.Approved", key, f"{key}-1", n=1)
    await shop.end(id)
    events = await _events(shop, id)
    assert events == START + MARKER + ARRIVAL + LIMIT + END
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


async def test_a_function(shop: World) -> None:
    """A call of a function takes its events, at once or after a retry, and counts as a call."""
    id, key = await _at_once(shop, "Trip", START + DURABLE + MARKER + END)
    taken = await _taken(shop, id, calls=len(pricing.calls[key]))
    assert taken == Cost(history=START + DURABLE + MARKER + END, commands=1, calls=1)
    found = _budget(shop, "Trip")
    assert taken == found.best._replace(seconds=0.0)
    assert _within(taken, found.worst)


async def test_a_function_is_undone(shop: World) -> None:
    """The undo that fails at first is called again, which leaves no events."""
    key = shop.key()
    shop.script[key, "Pay"] = [reply("bank.Declined", why="limit")]
    pricing.calls.pop(key, None)
    pricing.script[f"{key}:unbook"] = [pricing.raising("not yet"), lambda: None]
    id = await shop.start("Trip", key)
    await shop.end(id)
    taken = await _taken(shop, id, calls=len(pricing.calls[key]))
    assert taken == Cost(history=START + 2 * DURABLE + MARKER + END, commands=1, calls=3)
    assert _within(taken, _budget(shop, "Trip").worst)


async def test_an_outcome_that_nobody_knows(shop: World) -> None:
    """All attempts go unanswered, the command is a dead letter, and is sent again for its undo."""
    key = shop.key()
    shop.script[key, "Pay"] = [silent, silent, silent, usual]
    id = await shop.start("Lost", key)
    await shop.end(id)
    await eventually(lambda: _letters(shop, id), "the dead letter comes")
    taken = await _taken(shop, id)
    # Take, three times Pay and once more; the undos of both.
    assert (taken.commands, taken.undos, taken.letters) == (5, 2, 1)
    assert _within(taken, _budget(shop, "Lost").worst)


async def test_an_undo_of_statements(shop: World) -> None:
    """What an `undo { }` does is counted as the way back."""
    key = shop.key()
    shop.script[key, "Put"] = [after(1.0), usual]
    id = await shop.start("Block", key)
    await shop.end(id)
    await eventually(lambda: _published(shop, id), "the event comes")
    taken = await _taken(shop, id)
    assert (taken.commands + taken.undos, taken.events) == (4, 1)
    found = _budget(shop, "Block").worst
    assert taken.history <= found.history
    assert taken.commands + taken.undos <= found.commands + found.undos
    assert taken.events <= found.events


async def test_branches_that_are_stopped(shop: World) -> None:
    """A command and a wait under way are cancelled, and the command is undone."""
    key = shop.key()
    shop.script[key, "Take"] = [silent, silent]
    shop.script[key, "Pay"] = [after(1.5, reply("bank.Declined"))]
    id = await shop.start("Beside", key)
    await shop.end(id)
    assert _within(await _taken(shop, id), _budget(shop, "Beside").worst)


async def test_a_cancel_from_outside(shop: World) -> None:
    """It wakes the saga, which undoes what was done."""
    key = shop.key()
    shop.script[key, "Pay"] = [silent]
    id = await shop.start("Lost", key)
    await shop.sent(id, "b", times=2)
    await shop.client.get_workflow_handle(id).cancel()
    shop.script[key, "Pay"] = [usual]
    await shop.end(id)
    assert _within(await _taken(shop, id), _budget(shop, "Lost").worst)


async def test_a_deadline_that_passes(shop: World) -> None:
    """Its timer fires; what was done is undone."""
    id = await shop.start("Limited", shop.key())
    await shop.end(id)
    taken = await _taken(shop, id)
    found = _budget(shop, "Limited")
    assert _within(taken, found.worst)
    # The deadline ends the wait; the undo has all of its attempts after it.
    assert found.worst.seconds == 1.5 + (2 * 0.7 + 0.1)


async def test_a_scope_that_fails(shop: World) -> None:
    """It is undone, and the saga goes on."""
    key = shop.key()
    shop.script[key, "Pay"] = [after(0.8, reply("bank.Declined"))]
    id = await shop.start("Tried", key)
    await shop.end(id)
    await eventually(lambda: _published(shop, id), "the event comes")
    taken = await _taken(shop, id)
    assert (taken.undos, taken.events) == (1, 1)
    assert _within(taken, _budget(shop, "Tried").worst)


async def test_turns_that_data_counts(shop: World) -> None:
    """The budget has no limit, and what one turn takes holds for each."""
    key, items = shop.key(), ["x", "y", "z"]
    shop.script[key, "Take"] = [after(1.0), usual]
    id = await shop.start("Each", key, items=items)
    await shop.end(id)
    await eventually(lambda: len(_published(shop, id)) == len(items), "the events come")
    taken, found = await _taken(shop, id), _budget(shop, "Each")
    assert found.worst.history == float("inf")
    [loop] = found.loops
    whole = loop.turn.worst.plus(loop.turn.back).times(len(items))
    assert _within(taken, whole.plus(Cost(history=START + END)))
