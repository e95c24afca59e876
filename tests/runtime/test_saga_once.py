"""Commands that are delivered at most once: published once, handled once or not at all, and undone
where nobody knows which."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType

from dsl.budget.budget import Budgets
from dsl.load import check_texts
from orchestrator import failpoint
from orchestrator.dev.stack import DevStack
from tests.runtime.bell import SERVICE
from tests.runtime.replay import replay_all
from tests.runtime.world import FLOW, World, reply, silent

WORLD = (
    FLOW
    + """
policy hours { timeout: 60s  retry: fixed(attempts: 3, every: 1s) }
policy briefly { timeout: 700ms }

service NAMEbell {
  policy: hours
  command Ring key id delivery at_most_once { id: string } replies Rung
  command Hush key id { id: string } replies Hushed
  event Rung key id { id: string  ref: string }
  event Hushed key id { id: string }
}

saga NAMECall(id: string) -> string with briefly key id {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  step b = NAMEbell.Ring(id: id) undo NAMEbell.Hush(id: id)
  return a.ref + b.ref
}

saga NAMEGoOn(id: string) -> string with briefly key id {
  step b = NAMEbell.Ring(id: id) undo NAMEbell.Hush(id: id) on exhausted { }
  return b == null ? "perhaps" : "rung"
}
"""
)

_ROOT = Path(__file__).parents[2]


async def test_it_is_published_by_one_activity_with_one_attempt(shop: World) -> None:
    """Whatever the policy of its saga and its service says; the fast way could not promise that."""
    key = shop.key()
    shop.script[key, "Ring"] = [reply("bell.Rung", ref="ding")]
    ended = await shop.run("Call", key)
    assert ended.result == "tding"
    history = await shop.client.get_workflow_handle(f"onceCall/{key}").fetch_history()
    scheduled = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    sent = [
        e.activity_task_scheduled_event_attributes
        for e in history.events
        if e.event_type == scheduled
    ]
    assert [(a.activity_id, a.retry_policy.maximum_attempts) for a in sent] == [("b", 1)]


async def test_it_takes_what_its_budget_says(shop: World) -> None:
    """The durable way, and one message."""
    key = shop.key()
    shop.script[key, "Ring"] = [reply("bell.Rung", ref="ding")]
    assert (await shop.run("GoOn", key)).result == "rung"
    history = await shop.client.get_workflow_handle(f"onceGoOn/{key}").fetch_history()
    program = check_texts({"once.flow": WORLD.replace("NAME", shop.name)}).program
    assert program
    budget = Budgets(program.modules["once"].sagas).of("once.onceGoOn")
    assert len(history.events) == budget.best.history
    assert (budget.best.commands, budget.worst.commands) == (1, 1)


async def test_an_unknown_outcome_is_undone_and_not_asked_for_again(shop: World) -> None:
    """It was published once; the undo comes before those of the steps before."""
    key = shop.key()
    shop.script[key, "Ring"] = [silent]
    shop.script[key, "Hush"] = [reply("bell.Hushed")]
    ended = await shop.run("Call", key)
    assert ended.reason == f"{SERVICE}.Ring failed: no answer within 0.7s in 1 attempt"
    id = f"onceCall/{key}"
    assert shop.undone(id) == ["b:undo", "a:undo"]
    assert shop.seen[id].count("b") == 1


async def test_what_dies_after_it_was_published_does_not_publish_again(
    shop: World, request: pytest.FixtureRequest
) -> None:
    """The saga goes on by its handler; what may have taken effect is undone when it fails."""
    key = shop.key()

    def die(point: str) -> None:
        if point == "request.after-publish":
            raise RuntimeError("the worker is gone")

    shop.script[key, "Ring"] = [silent]
    request.addfinalizer(lambda: failpoint.arm(None))
    failpoint.arm(die)
    ended = await shop.run("GoOn", key)
    assert ended.result == "perhaps"
    id = f"onceGoOn/{key}"
    await shop.sent(id, "b")
    assert shop.seen[id] == ["b"]


async def test_a_participant_that_is_killed_while_handling_handles_it_no_more(
    shop: World, stack: DevStack, tmp_path: Path
) -> None:
    """The next one of it is given the same record, and passes it over; the saga undoes it."""
    key, heard, flow = shop.key(), tmp_path / "heard", tmp_path / "once.flow"
    flow.write_text(WORLD.replace("NAME", shop.name), "utf-8")
    shop.script[key, "Ring"] = shop.script[key, "Hush"] = [silent]
    database = f"sqlite:///{tmp_path}/bell.db"
    at = [str(flow), stack.addresses.kafka or "", database, str(heard), key]
    async with _bell(*at) as first:
        id = await shop.start("Call", key)
        assert await first.wait() == -9
        async with _bell(*at):
            ended = await shop.end(id, 120)
    assert "no answer within 0.7s in 1 attempt" in (ended.reason or "")
    assert shop.undone(id) == ["b:undo", "a:undo"]
    assert heard.read_text("utf-8").splitlines() == ["ring", "hush"]


async def test_all_histories_replay(shop: World) -> None:
    """Replaying leads to the same commands."""
    await replay_all(shop)


@asynccontextmanager
async def _bell(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A participant in a process of its own."""
    command = [sys.executable, "-m", "tests.runtime.bell", *arguments]
    running = await asyncio.create_subprocess_exec(*command, cwd=_ROOT)
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
