"""What a worker lets out, without servers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orchestrator.compile.plan import BreakerPlan, PolicyPlan, RatePlan
from orchestrator.runtime.guards import Guards, Hold, guard_of
from orchestrator.runtime.wire import Outgoing
from tests.runtime.eventually import eventually


def command(id: str, timeout: float = 30.0, **settings: Any) -> Outgoing:
    """A command whose policy has these settings."""
    return Outgoing(
        id=id,
        type="bank.Pay",
        topic="bank.commands",
        key="k",
        data={},
        saga="Buy",
        correlation="Buy/1",
        timeout=timeout,
        guard=guard_of(PolicyPlan(timeout=timeout, **settings)),
    )


async def test_without_a_guard_all_is_let_out() -> None:
    """And nothing is remembered."""
    guards = Guards()
    assert all(guards.enter(command(f"c{n}"), 1) is None for n in range(100))
    assert guard_of(PolicyPlan(timeout=1)) is None


async def test_places_are_given_back() -> None:
    """By an answer, by what was not sent, by a timeout; both ways of a step are one attempt."""
    guards = Guards()

    def enter(id: str, number: int = 1, timeout: float = 30.0) -> Hold | None:
        return guards.enter(command(id, timeout, max_in_flight=1), number)

    assert enter("a") is None and enter("a") is None
    assert enter("b") is not None
    guards.answered("a")
    assert enter("b") is None
    guards.unsent("b")
    assert enter("c", timeout=0.01) is None
    assert enter("d") is not None
    await eventually(lambda: enter("d") is None, "its time is over")


async def test_a_turn_is_kept() -> None:
    """Whoever comes back at its time is let out, however many ask meanwhile."""
    guards = Guards()

    def enter(id: str) -> Hold | None:
        return guards.enter(command(id, rate=RatePlan(count=2, per=0.2)), 1)

    assert enter("a") is None and enter("b") is None
    first, second, again = enter("c"), enter("d"), enter("c")
    assert first and second and again
    assert second.seconds - first.seconds == pytest.approx(0.1, abs=0.05)
    assert again.seconds <= first.seconds
    await asyncio.sleep(first.seconds)
    assert enter("c") is None and enter("e") is not None


async def test_one_probe_after_the_circuit_was_open() -> None:
    """One that says that it is one; its timeout opens the circuit anew, its answer closes it."""
    guards = Guards()
    breaker = BreakerPlan(failures=2, within=60, open_for=0.05)

    def enter(id: str, number: int = 1, probe: bool = False, timeout: float = 30.0) -> Hold | None:
        asked = command(id, timeout, breaker=breaker)
        asked.probe = probe
        return guards.enter(asked, number)

    for id in ("a", "b"):
        assert enter(id) is None
        assert enter(id, 2) is None or id == "b"  # the second attempt: the first one had no answer
    assert enter("c") == Hold(pytest.approx(0.05, abs=0.05))
    await asyncio.sleep(0.06)
    assert enter("c") == Hold(0.0, probe=True)
    assert enter("c", probe=True, timeout=0.01) is None
    held = enter("d", probe=True)
    assert held is not None and not held.probe
    await eventually(lambda: enter("d", probe=True) is None, "its time is over, and the next one's")
    guards.answered("d")
    assert enter("e") is None
