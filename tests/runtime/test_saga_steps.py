"""Command steps on real servers: both speeds, and everything that can come back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType

from orchestrator.messaging.deadletter import EXCEPTION_MESSAGE, ORIGINAL_TOPIC
from orchestrator.messaging.record import Record
from orchestrator.runtime import replies
from orchestrator.runtime.wire import message_id
from tests.runtime.eventually import eventually
from tests.runtime.replay import replay_all
from tests.runtime.world import Behaviour, World, after, reply, silent, usual


async def test_a_saga_runs_fast(shop: World) -> None:
    """Four steps and an event take at most 12 history events when services answer at once."""
    key = shop.key()
    id = await shop.start("Four", key)
    assert (await shop.end(id)).result == "tp"
    detail = await shop.instances.show(id)
    assert shop.seen[id] == ["a", "b", "c", "d"]
    assert [(e.path, e.attempts, e.status) for e in detail.course.entries] == [
        *((p, 1, "answered") for p in "abcd"),
        ("Bought", 1, "published"),
    ]
    assert detail.course.events <= 12
    await eventually(
        lambda: any(r.key == key for r in shop.on("stepswares.events")), "the event is published"
    )


async def test_the_time_is_in_the_history_before_it_is_sent(shop: World) -> None:
    """A command that holds the time leaves when a lost worker could no longer change that time."""
    id = await shop.start("Timed", shop.key())
    await shop.end(id)
    history = await shop.client.get_workflow_handle(id).fetch_history()
    kinds = [event.event_type for event in history.events]
    fired = kinds.index(EventType.EVENT_TYPE_TIMER_FIRED)
    assert fired < kinds.index(EventType.EVENT_TYPE_MARKER_RECORDED)


async def test_a_slow_service_is_waited_for(shop: World) -> None:
    """An answer after the fast window completes the step by the durable way."""
    key = shop.key()
    shop.script[key, "Pay"] = [after(1.5)]
    id = await shop.start("Buy", key)
    assert (await shop.end(id)).result == "tp"
    entry = (await shop.instances.show(id)).course.entries[-1]
    assert (entry.path, entry.attempts, entry.answer) == ("b", 1, "stepsbank.Paid")


async def test_lost_replies_are_asked_for_again(shop: World) -> None:
    """The same command, under the same id, brings the answer when two were lost."""
    key = shop.key()
    shop.script[key, "Take"] = [silent, silent, usual]
    id = await shop.start("Hasty", key)
    assert (await shop.end(id)).result == "tp"
    assert shop.seen[id] == ["a", "a", "a", "b"]
    assert (await shop.instances.show(id)).course.entries[0].attempts == 2


async def test_replies_that_nobody_waits_for_change_nothing(shop: World) -> None:
    """Twice, late, for an unknown saga, for an unknown step: each is counted, that is all."""
    key = shop.key()

    async def twice(world: World, command: Any) -> None:
        await usual(world, command)
        await world.answer(command, "wares.Taken", {"ref": "second"})

    shop.script[key, "Take"] = [twice]
    shop.script[key, "Pay"] = [after(0.8)]
    id = await shop.start("Buy", key)
    assert (await shop.end(id)).result == "tp"
    command = shop.commands[message_id(id, "a")]
    late = shop.worker._replies.counts["late"]
    for cause in (command.id, "Nobody/1#a", f"{id}#nowhere"):
        await shop.answer(command, "wares.Taken", {"ref": "x"}, causation_id=cause)
    await eventually(lambda: shop.worker._replies.counts["late"] >= late + 3, "they are counted")
    assert (await shop.end(id)).result == "tp"


NONSENSE: dict[str, tuple[Behaviour, str]] = {
    "not JSON": (
        lambda w, c: w.answer(c, "wares.Taken", b"{broken"),
        "it is not JSON",
    ),
    "not UTF-8": (
        lambda w, c: w.answer(c, "wares.Taken", b'{"ref": "\xff"}'),
        "it is not JSON",
    ),
    "another message": (
        reply("bank.Paid", ref="x"),
        "`stepsbank.Paid` is no answer to `stepswares.Take`",
    ),
    "a missing field": (reply("wares.Taken"), "`ref`"),
    "a wrong type": (reply("wares.Taken", ref=7), "`ref` must be a string, not 7"),
    "a list": (lambda w, c: w.answer(c, "wares.Taken", b"[1]"), "object"),
}


@pytest.mark.parametrize(("behaviour", "problem"), NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_fails_the_saga_clearly(
    shop: World, behaviour: Behaviour, problem: str
) -> None:
    """An answer not to be used fails the saga, says what is wrong with it, and is undone."""
    key = shop.key()
    shop.script[key, "Take"] = [behaviour]
    id = await shop.start("Hasty", key)
    outcome = await shop.end(id)
    assert outcome.status == "failed"
    assert "`stepswares` sent an answer not to be used" in (outcome.reason or "")
    assert problem in (outcome.reason or "")
    assert shop.undone(id) == ["a:undo"]


async def test_a_reply_that_is_no_message_is_a_dead_letter(shop: World) -> None:
    """A record without its headers goes to the dead letters, and the consumer goes on."""
    await shop.bus.publish(Record(replies.TOPIC.name, "junk", b"\x00\x01"))
    await eventually(
        lambda: [r for r in shop.on(replies.DEAD_LETTERS.name) if r.key == "junk"],
        "a dead letter",
    )
    assert (await shop.run("Buy", shop.key())).status == "completed"


async def test_a_declared_failure_compensates(shop: World) -> None:
    """A refusal undoes what was done before, and says why."""
    key = shop.key()
    shop.script[key, "Pay"] = [reply("bank.Declined")]
    id = await shop.start("Hasty", key)
    outcome = await shop.end(id)
    assert (outcome.status, outcome.reason) == ("failed", "stepsbank.Pay failed: Declined()")
    assert shop.undone(id) == ["a:undo"]


async def test_a_timeout_uses_exactly_its_attempts(shop: World) -> None:
    """Two attempts without an answer, then a dead letter with its reason, then the undos."""
    key = shop.key()
    shop.script[key, "Pay"] = [silent]
    id = await shop.start("Hasty", key)
    outcome = await shop.end(id)
    reason = "no answer within 0.7s in 2 attempts"
    assert outcome.reason == f"stepsbank.Pay failed: {reason}"
    entry = next(e for e in (await shop.instances.show(id)).course.entries if e.path == "b")
    assert (entry.attempts, entry.status) == (2, "timed out")
    # The fast way's publication belongs to the first attempt.
    assert shop.seen[id].count("b") == 3
    assert shop.undone(id) == ["b:undo", "a:undo"]
    letter = await eventually(lambda: shop.letter(message_id(id, "b")), "a dead letter")
    assert letter.topic == "steps.dlq"
    assert letter.header(EXCEPTION_MESSAGE) == reason.encode()
    assert letter.header(ORIGINAL_TOPIC) == b"stepsbank.commands"
    assert letter.header("disposition") == b"exhausted"


async def test_many_sagas_at_once(shop: World) -> None:
    """A hundred sagas side by side all end as their services say."""
    keys = [shop.key() for _ in range(100)]
    for key in keys[::10]:
        shop.script[key, "Pay"] = [reply("bank.Declined")]
    ids = await asyncio.gather(*(shop.start("Hasty", k) for k in keys))
    ends = await asyncio.gather(*(shop.end(i) for i in ids))
    assert [e.status for e in ends] == [
        "failed" if n % 10 == 0 else "completed" for n in range(100)
    ]


async def test_a_result_that_does_not_fit_compensates(shop: World) -> None:
    """A result that has no wire form is a failure of the saga, not of the worker."""
    id = await shop.start("Share", shop.key(), n=0)
    outcome = await shop.end(id)
    assert outcome.status == "failed"
    assert "result of `stepsShare`" in (outcome.reason or "")
    assert shop.undone(id) == ["a:undo"]


async def test_all_histories_replay(shop: World) -> None:
    """Replaying every history of this file leads to the same commands: sagas are deterministic."""
    assert await replay_all(shop) > 100
