"""`exhausted: park`, on real Temporal and Kafka."""

from __future__ import annotations

from orchestrator.runtime.letter_steps import retry_by, settle_step
from orchestrator.runtime.redrive import Redrive, Report
from orchestrator.store import letters
from orchestrator.store.letter_choice import Choice
from orchestrator.store.letters import Letter
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

    async def forgotten() -> bool:
        return await listed(shop, id) is None

    await eventually(forgotten, "nobody is asked for it")


async def letter_of(shop: World, id: str) -> Letter:
    """The letter of an instance's second step, in the index."""

    async def found() -> Letter | None:
        async with shop.database.reading() as session:
            page = await letters.page(session, Choice(message_id=f"{id}#b"))
        return page[0] if page else None

    return await eventually(found, "its letter is indexed")


async def redrive(shop: World, letter: Letter) -> Report:
    """Of a step: nothing is published."""
    retry = retry_by(shop.instances)
    run = Redrive(shop.database, None, retry, run=letter.message_id or "", who="ada", settle=0)
    return await run.run(Choice(ids=(letter.id,)))


async def test_the_redrive_of_its_letter_moves_it_on(shop: World) -> None:
    """The saga tries again, under the same id."""
    id = await at_the_end_of_its_attempts(shop)
    letter = await letter_of(shop, id)
    assert (letter.consumer, letter.flow, letter.saga_id) == ("orchestrate", "parked", id)
    assert letter.disposition == "exhausted" and letter.type == "parkedbank.Pay"
    report = await redrive(shop, letter)
    assert (report.redriven, report.refused) == (1, {})
    assert (await shop.end(id)).result == "p"


async def test_a_saga_that_went_back_is_left_alone(shop: World) -> None:
    """Its command would have an effect that nothing undoes; the letter waits as before."""
    id = await at_the_end_of_its_attempts(shop)
    letter = await letter_of(shop, id)
    await shop.instances.resolve(id, "fail")
    await shop.end(id)
    sent = len(shop.seen[id])
    report = await redrive(shop, letter)
    assert report.redriven == 0 and [*report.refused.values()] == [1]
    assert (await letter_of(shop, id)).state == "waiting"
    assert len(shop.seen[id]) == sent


async def test_who_resolves_it_settles_its_letter(shop: World) -> None:
    """Whatever is decided; a retry as a redrive, the others as given up."""
    id = await at_the_end_of_its_attempts(shop)
    letter = await letter_of(shop, id)
    await settle_step(shop.database, id, "b", "fail", "ada")
    assert (await letter_of(shop, id)).state == "discarded"
    async with shop.database.reading() as session:
        [deed] = await letters.deeds(session, letter.id)
    assert (deed.who, deed.note) == ("ada", "resolved: fail")
    await shop.instances.resolve(id, "fail")
    await shop.end(id)


async def test_all_histories_replay(shop: World) -> None:
    """Every saga above leaves a history that this code accepts again."""
    assert await replay_all(shop) == 6
