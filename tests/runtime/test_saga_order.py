"""Numbered events reach a saga in their order; events that are delivered at most once, too."""

from __future__ import annotations

from temporalio.api.enums.v1 import EventType

from orchestrator.messaging.deadletter import EXCEPTION_MESSAGE
from orchestrator.runtime.events import GROUP
from orchestrator.store import gaps
from orchestrator.store.sequences import Stream, orchestrator
from tests.runtime.eventually import eventually
from tests.runtime.replay import replay_all
from tests.runtime.world import FLOW, World

#: Seconds: the events of a test come sooner after each other.
GAP = 7.0

WORLD = (
    FLOW
    + """
service NAMEfeed {
  publisher: outside
  event Moved key id sequence n { id: string  n: int }
  event Seen key id delivery at_most_once { id: string }
}

saga NAMEFollow(id: string) -> string key id within 2m {
  await NAMEfeed.Moved as a
  await NAMEfeed.Moved as b
  await NAMEfeed.Moved as c
  emit NAMEfeed.Seen(id: id)
  return string(a.n) + string(b.n) + string(c.n)
}
"""
)


async def test_numbered_events_come_in_their_order(shop: World) -> None:
    """Early ones wait, and what was taken is passed over; one whose turn is over is a dead
    letter that says so. What is published at most once is published."""
    key = shop.key()
    id = await shop.start("Follow", key)
    for n in (1, 3, 3, 1, 2, 0):
        await shop.event("feed.Moved", key, f"{key}-{n}", n=n)
    assert (await shop.end(id)).result == "123"
    letter = await eventually(lambda: shop.letter(f"{key}-0"), "a dead letter")
    assert b"after its turn" in (letter.header(EXCEPTION_MESSAGE) or b"")

    def seen() -> int:
        types = [r.header("ce_type") for r in shop.on("orderfeed.events")]
        return types.count(b"orderfeed.Seen")

    await eventually(seen, "the saga's own event comes")
    assert seen() == 1
    history = await shop.client.get_workflow_handle(id).fetch_history()
    scheduled = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    [sent] = [e for e in history.events if e.event_type == scheduled]
    policy = sent.activity_task_scheduled_event_attributes.retry_policy
    assert policy.maximum_attempts == 1


async def test_a_gap_that_does_not_close_goes_to_the_dead_letters(shop: World) -> None:
    """And the saga gets what came, in its order, when it is sent again."""
    key = shop.key()
    id = await shop.start("Follow", key)
    for n in (1, 3):
        await shop.event("feed.Moved", key, f"{key}-{n}", n=n)
    letter = await eventually(lambda: shop.letter(f"{key}-3"), "a dead letter")
    assert letter.header("disposition") == b"rejected"
    assert b"event 2 before it did not" in (letter.header(EXCEPTION_MESSAGE) or b"")
    for n in (2, 3):
        await shop.event("feed.Moved", key, f"{key}-{n}", n=n)
    assert (await shop.end(id)).result == "123"


async def test_what_will_not_come_is_skipped_by_a_person(shop: World) -> None:
    """What waits behind it is taken at once, and the saga goes on."""
    key = shop.key()
    id = await shop.start("Follow", key)
    for n in (1, 3, 4):
        await shop.event("feed.Moved", key, f"{key}-{n}", n=n)

    async def waiting() -> bool:
        async with shop.database.reading() as session:
            found = await gaps.listed(session, orchestrator, GROUP)
        return [(g.next, g.waiting) for g in found if g.stream.key == key] == [(2, 2)]

    await eventually(waiting, "two events wait for the second")
    async with shop.database.transaction() as session:
        await gaps.skip(session, orchestrator, Stream(GROUP, "orderfeed.Moved", key))
    assert (await shop.end(id)).result == "134"


async def test_all_histories_replay(shop: World) -> None:
    """Replaying leads to the same commands."""
    await replay_all(shop)
