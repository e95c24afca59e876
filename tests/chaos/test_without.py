"""The check of the checks: with a protection taken out, the suite notices. That it is content
with all of them in place, the other tests show."""

from __future__ import annotations

import asyncio
import signal

import pytest

from dsl.model import TopicModel
from orchestrator.messaging.record import Record
from tests.chaos.arena import Arena
from tests.chaos.evidence import Violation
from tests.chaos.scenario import Scenario
from tests.chaos.slots import Plan, Slot
from tests.runtime.eventually import eventually

pytestmark = pytest.mark.timeout(300)


async def test_without_the_inbox(arena: Arena) -> None:
    """A repeated command has its effect twice."""
    async with Scenario(arena, "sqlite", without=["inbox"]) as run, run.serving():
        await run.order_all()
        # Without it some may never end: an event's second copy is refused by the outbox.
        await run.verdict(8)
        assert await run.repeat("goods.commands")

        async def noticed() -> list[Violation]:
            return _told(await run.settled(0), "doubled", "undo of goods")

        await eventually(noticed, "an undo that was repeated is noticed")


async def test_without_the_outbox(arena: Arena) -> None:
    """An event is lost with the process that committed what it tells, and so is the saga that
    waits for it."""
    async with (
        Scenario(arena, "sqlite", without=["outbox"]) as run,
        run.serving("worker", "relay"),
    ):
        # What others have left on the topics is gone before the one that is to die comes.
        steady = await run.start("participant")
        await run.order("GOOD")
        assert await run.verdict(60) == []
        await steady.stop()
        slot = Slot(run, "participant")
        dying = asyncio.create_task(slot.go_through([Plan("handler.after-commit")]))
        lost = await run.order("GOOD")
        await dying
        await run.order("GOOD")
        found = await run.verdict(10)
    assert _told(found, "lost", f"{lost} (GOOD) has not ended")


@pytest.mark.parametrize("without", [(), ("lease",)])
async def test_without_the_lease(arena: Arena, without: tuple[str, ...]) -> None:
    """What a relay has taken, another one publishes while it stands still, and then it does so
    itself; with the lease the other one leaves it alone."""
    kind = "postgres" if arena.postgres else "sqlite"
    async with Scenario(arena, kind, without=without) as run, run.serving("worker", "participant"):
        still = await run.start("relay", point="outbox.after-claim", action="stop", lease=60.0)
        await run.until_ready(still)
        await run.order("GOOD")
        await still.stopped.wait()
        await run.until_ready(await run.start("relay", lease=60.0))
        assert without == () or await run.verdict(60) == []
        still.send(signal.SIGCONT)
        assert await run.verdict(60) == []
        found = await run.settled(20 if without else 1, calm=True)
    assert bool(_told(found, "doubled", "published")) == bool(without)
    assert without or found == []


@pytest.mark.parametrize(
    ("without", "fault", "text"),
    [
        ("keys", "doubled", "stamp of"),
        ("version", "doubled", "had their way"),
        ("sequence", "disorder", "moves of"),
    ],
)
async def test_without_what_a_contract_declares(
    arena: Arena, without: str, fault: str, text: str
) -> None:
    """Who asks twice under two ids has two stamps; two who saw the same version both change it; a
    crate's moves are noted as they come."""
    async with Scenario(arena, "sqlite", without=[without]) as run, run.serving("desk"):
        await asyncio.gather(*(run.errands.run() for _ in range(3)))

        async def noticed() -> list[Violation]:
            return _told(await run.settled(0), fault, text)

        await eventually(noticed, f"that it goes without {without} is noticed")


async def test_without_the_fencing(arena: Arena) -> None:
    """A transformer stands still before it commits, and does so when another one has its partition
    and did the same. That it cannot, fenced, `test_a_zombie_commits_nothing` shows."""
    source = TopicModel(name="chaos.unfenced", partitions=1)
    await arena.bus.create_topics([source])
    async with Scenario(arena, "sqlite", without=["fencing"]) as run:
        still = await run.start(
            "transformer", point="transform.before-commit", action="stop", source=source.name
        )
        await arena.bus.publish(Record(source.name, "key", f"{run.name}-1".encode()))
        await still.stopped.wait()
        other = await run.start(
            "transformer",
            point="transform.after-commit",
            action="delay",
            seconds=0.0,
            source=source.name,
        )
        await other.reached.wait()
        still.send(signal.SIGCONT)

        async def noticed() -> list[Violation]:
            return _told(await run.settled(0), "doubled", "transformed")

        await eventually(noticed, "what was transformed twice is noticed")


def _told(found: list[Violation], fault: str, text: str) -> list[Violation]:
    return [v for v in found if v.fault == fault and text in v.text]
