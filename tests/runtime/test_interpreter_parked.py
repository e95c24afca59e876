"""`exhausted: park`: a step without an answer waits for a person, without servers."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.runtime.effects import Decision
from tests.runtime.script import EXHAUSTED, TIMEOUT, Script, done, plan_of, refused

BEFORE = 'step s = a.Do(id: id) undo a.Undo(id: id, ref: "-")'
STEP = f"{BEFORE} step x = b.Do(id: id) with waiting undo b.Undo(id: id, ref: x.ref)"


@pytest.mark.parametrize("outcome", [TIMEOUT, EXHAUSTED])
async def test_it_is_tried_again_and_goes_on(outcome: Exception) -> None:
    """A person has it sent again under its id; the saga goes on as if nothing had been."""
    script = Script(x=[outcome, done("b", "it")])
    script.decisions["x"] = [Decision.RETRY]
    assert await script.run(f"{STEP} return x.ref") == "returned it"
    assert [c.message for c in script.sent] == ["s", "x", "x"]
    assert f"park x: b.Do failed: {outcome}" in script.log


async def test_it_is_undone_once_after_any_number_of_tries() -> None:
    """Each try of a step is the same step: one undo, and that with the answer."""
    script = Script(x=[TIMEOUT, TIMEOUT, done("b", "it")])
    script.decisions["x"] = [Decision.RETRY, Decision.RETRY]
    assert await script.run(f'{STEP} fail "late"') == "failed: late"
    assert script.undone == ["x:undo", "s:undo"]
    assert script.sent[-2].arguments["ref"] == "it"


async def test_a_refusal_when_it_is_tried_again_has_nothing_to_undo() -> None:
    """The service says that it did nothing, so the step's own undo is left out."""
    script = Script(x=[TIMEOUT, refused("b", "dear")])
    script.decisions["x"] = [Decision.RETRY]
    await script.run(f"{STEP} return x.ref")
    assert script.undone == ["s:undo"]


async def test_given_up_it_fails_and_compensates() -> None:
    """The failure goes the way of any other: the step's unknown outcome is undone, too."""
    script = Script(x=[TIMEOUT, done("b")])
    script.decisions["x"] = [Decision.FAIL]
    assert await script.run(f"{STEP} return x.ref") == f"failed: b.Do failed: {TIMEOUT}"
    assert script.undone == ["x", "x:undo", "s:undo"]


async def test_given_up_it_reaches_the_scope_around_it() -> None:
    """A `try` sees the failure only when a person has given the step up."""
    script = Script(x=TIMEOUT)
    script.decisions["x"] = [Decision.FAIL]
    body = 'try { step x = b.Do(id: id) with waiting undo none } on exhausted { return "handled" }'
    assert await script.run(f'{body} return "-"') == "returned handled"


async def test_skipped_it_is_still_undone_later() -> None:
    """Nobody knows whether it took effect; only its own undo reads its answer."""
    script = Script(x=[TIMEOUT, done("b")])
    script.decisions["x"] = [Decision.SKIP]
    assert await script.run(f'{STEP} fail "late"') == "failed: late"
    assert script.undone == ["x", "x:undo", "s:undo"]


async def test_what_is_read_later_is_not_skipped() -> None:
    """The person is asked again, and told why."""
    script = Script(x=[TIMEOUT, done("b", "it")])
    script.decisions["x"] = [Decision.SKIP, Decision.RETRY]
    assert await script.run(f"{STEP} return x.ref") == "returned it"
    parked = [e for e in script.log if e.startswith("park")]
    assert parked[1].endswith("`x` is read later on: it cannot be skipped")


async def test_a_handler_comes_first() -> None:
    """What the flow says itself about the end of the attempts needs no person."""
    script = Script(x=TIMEOUT)
    body = f'{STEP} on timeout {{ }} return x == null ? "null" : "there"'
    assert await script.run(body) == "returned null"


async def test_a_declared_failure_is_an_answer() -> None:
    """It parks nothing."""
    script = Script(x=refused("b"))
    await script.run(f"{STEP} return x.ref")
    assert script.undone == ["s:undo"]


async def test_a_skipped_pivot_is_passed() -> None:
    """The person vouches for it: from here on nothing is undone."""
    script = Script(x=TIMEOUT)
    script.decisions["x"] = [Decision.SKIP]
    body = f'{BEFORE} pivot step x = b.Do(id: id) with waiting undo none return "r"'
    assert await script.run(body) == "returned r"
    assert script.log[-1] == "pivot"


async def test_a_cancel_while_it_is_parked_undoes_all() -> None:
    """The step is among what is undone, once."""
    asked = asyncio.Event()

    class Patient(Script):
        async def attention(self, path: str, reason: str) -> Decision:
            asked.set()
            return await asyncio.Future[Decision]()

    script = Patient(x=[TIMEOUT, done("b")])
    running = asyncio.ensure_future(
        (interpreter := script.interpreter(plan_of(f"{STEP} return x.ref"))).run(
            {"id": "k", "n": 1}
        )
    )
    await asyncio.wait_for(asked.wait(), 30)
    running.cancel()
    assert await script.to_the_end(interpreter, running) == "cancelled"
    assert script.undone == ["x", "x:undo", "s:undo"]
