"""Breakers and rates, with a clock of the test's own."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.messaging.admission import Admission, Bounds
from orchestrator.messaging.breaker import Breaker, Circuit
from orchestrator.messaging.rate import Rate
from orchestrator.telemetry import metrics


class Clock:
    """Seconds, as the test says."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker(3, within=10, open_for=5, clock=clock)
    for _ in range(3):
        breaker.failed(breaker.begin())
    assert breaker.circuit is Circuit.OPEN
    return breaker


def test_it_opens_after_so_many_failures_in_a_time() -> None:
    """Not when they come further apart; successes between do not count against them."""
    clock = Clock()
    breaker = Breaker(3, within=10, open_for=5, clock=clock)
    for _ in range(5):
        breaker.failed(breaker.begin())
        breaker.succeeded(breaker.begin())
        clock.now += 6
    assert breaker.circuit is Circuit.CLOSED and breaker.wait() == 0
    for _ in range(2):
        breaker.failed(breaker.begin())
    assert breaker.circuit is Circuit.OPEN and breaker.wait() == 5


def test_one_probe_closes_it() -> None:
    """While that is under way nobody else is let through."""
    clock = Clock()
    breaker = opened(clock)
    clock.now += 5
    assert breaker.wait() == 0
    probe = breaker.begin()
    assert breaker.circuit is Circuit.HALF_OPEN and breaker.wait() > 0
    breaker.succeeded(probe)
    assert breaker.circuit is Circuit.CLOSED and breaker.wait() == 0
    breaker.failed(breaker.begin())
    assert breaker.circuit is Circuit.CLOSED


def test_a_probe_that_fails_opens_it_anew() -> None:
    """For as long as before; one that tells nothing is followed by another at once."""
    clock = Clock()
    breaker = opened(clock)
    clock.now += 5
    breaker.failed(breaker.begin())
    assert breaker.circuit is Circuit.OPEN and breaker.wait() == 5
    clock.now += 5
    breaker.dropped(breaker.begin())
    assert breaker.circuit is Circuit.OPEN and breaker.wait() == 0


def test_what_was_under_way_changes_nothing() -> None:
    """An attempt from before it opened neither closes it nor keeps it open."""
    clock = Clock()
    breaker = Breaker(1, within=10, open_for=5, clock=clock)
    late, later = breaker.begin(), breaker.begin()
    breaker.failed(breaker.begin())
    breaker.succeeded(late)
    assert breaker.circuit is Circuit.OPEN
    clock.now += 4
    breaker.failed(later)
    assert breaker.wait() == 1


def test_a_rate() -> None:
    """A burst of so many, then one after the other; a rest gives the burst back."""
    clock = Clock()
    rate = Rate(10, 1.0, clock)
    assert [rate.take() for _ in range(10)] == [0.0] * 10
    assert [rate.take() for _ in range(3)] == pytest.approx([0.1, 0.2, 0.3])
    assert rate.wait() == pytest.approx(0.4)
    clock.now += 10
    assert [rate.take() for _ in range(11)] == pytest.approx([0.0] * 10 + [0.1])


def test_a_rate_holds_over_any_time() -> None:
    """Whoever waits as told never makes more than the burst and the rate together."""
    clock = Clock()
    rate = Rate(5, 1.0, clock)
    times = sorted(clock.now + rate.take() for _ in range(50))
    for begin in times:
        assert sum(begin <= t < begin + 1.0 - 1e-9 for t in times) <= 10
    assert times[-1] - times[0] == pytest.approx(9.0, abs=0.3)


async def test_places() -> None:
    """So many at once; the next begins when one has ended."""
    admission, running, most = Admission("x", Bounds(at_once=2)), 0, 0

    async def work() -> None:
        nonlocal running, most
        async with admission.attempt():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(work() for _ in range(20)))
    assert (most, running) == (2, 0)


async def test_an_open_circuit_holds_attempts_back() -> None:
    """All wait; one probes; the others follow when that went well."""
    admission = Admission("x", Bounds(breaker=(1, 10.0, 0.2)))
    async with admission.attempt() as broken:
        broken.failed()
    begun: list[int] = []
    probing, go = asyncio.Event(), asyncio.Event()

    async def work(number: int) -> None:
        async with admission.attempt():
            begun.append(number)
            probing.set()
            await go.wait()

    tasks = [asyncio.create_task(work(n)) for n in range(5)]
    async with asyncio.timeout(10):
        await probing.wait()
        await asyncio.sleep(0)
        assert len(begun) == 1
        go.set()
        await asyncio.gather(*tasks)
    assert sorted(begun) == [0, 1, 2, 3, 4]


def test_a_circuit_is_a_number() -> None:
    """Of two policies for one topic the worse one is told."""
    metrics.end()
    meters = metrics.begin()
    admissions = [Admission("bank.commands", Bounds(breaker=(n, 10.0, 60.0))) for n in (1, 2)]
    metrics.end()

    def told() -> float | None:
        return meters.registry.get_sample_value(
            "orchestrate_circuit_state", {"circuit": "bank.commands"}
        )

    assert told() == 0
    broken = admissions[0].begin()
    broken.failed()
    admissions[0].end(broken)
    assert told() == 2
