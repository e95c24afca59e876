"""What a worker lets out to whom: the breakers, rates and places of its steps' policies."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from orchestrator.compile.plan import PolicyPlan
from orchestrator.messaging.admission import Admission, Attempt, Bounds
from orchestrator.runtime.wire import Guard, Outgoing

#: Turns that nobody came for are forgotten so many seconds later, when there are so many.
_FORGOTTEN, _MANY = 60.0, 1_000

#: A timer's second is not exact.
_SLACK = 0.005


def guard_of(policy: PolicyPlan) -> Guard | None:
    """What a policy sets; None where that is nothing."""
    if policy.breaker is None and policy.rate is None and policy.max_in_flight is None:
        return None
    breaker, rate = policy.breaker, policy.rate
    return Guard(
        [breaker.failures, breaker.within, breaker.open_for] if breaker else None,
        [rate.count, rate.per] if rate else None,
        policy.max_in_flight,
    )


@dataclass(frozen=True, slots=True)
class Hold:
    """A command may be sent in so many `seconds`, as far as is known; then, or only, as a probe."""

    seconds: float
    probe: bool = False


@dataclass(slots=True)
class _Sent:
    """A command that is under way: which attempt it is, and what ends it without an answer."""

    admission: Admission
    attempt: Attempt
    number: int
    timer: asyncio.TimerHandle

    def end(self) -> None:
        self.timer.cancel()
        self.admission.end(self.attempt)


class Guards:
    """One admission for each topic of commands and each way in which policies bound it. An attempt
    lasts from when it is let through to its answer, or to its timeout, which is a failure."""

    def __init__(self) -> None:
        self._admissions: dict[tuple[str, Bounds], Admission] = {}
        self._sent: dict[str, _Sent] = {}
        self._turns: dict[str, float] = {}

    def enter(self, command: Outgoing, number: int) -> Hold | None:
        """Begins the `number`-th attempt, or says why not. The fast and the durable way are one
        attempt."""
        if command.guard is None:
            return None
        before = self._sent.get(command.id)
        if before is not None:
            if before.number >= number:
                return None
            self._expired(command.id)
        admission = self._admission(command.topic, command.guard)
        if wait := self._until_turn(command.id, admission) or admission.closed():
            admission.counts["held"] += 1
            return Hold(wait)
        if admission.wants_probe and not command.probe:
            return Hold(0.0, probe=True)
        self._turns.pop(command.id, None)
        timer = asyncio.get_running_loop().call_later(command.timeout, self._expired, command.id)
        self._sent[command.id] = _Sent(admission, admission.begin(), number, timer)
        return None

    def answered(self, id: str) -> None:
        """An answer to a command came."""
        if sent := self._sent.pop(id, None):
            sent.end()

    def unsent(self, id: str) -> None:
        """A command could not be published: that tells nothing of who would have handled it."""
        if sent := self._sent.pop(id, None):
            sent.attempt.dropped()
            sent.end()

    def _expired(self, id: str) -> None:
        if sent := self._sent.pop(id, None):
            sent.attempt.failed()
            sent.end()

    def _admission(self, topic: str, guard: Guard) -> Admission:
        breaker, rate = guard.breaker, guard.rate
        bounds = Bounds(
            (int(breaker[0]), breaker[1], breaker[2]) if breaker else None,
            (int(rate[0]), rate[1]) if rate else None,
            guard.at_once,
        )
        found = self._admissions.get((topic, bounds))
        if found is None:
            found = self._admissions[topic, bounds] = Admission(topic, bounds)
        return found

    def _until_turn(self, id: str, admission: Admission) -> float:
        """Seconds until its turn, which it keeps while it is held back."""
        now = asyncio.get_running_loop().time()
        turn = self._turns.get(id)
        if turn is None:
            if len(self._turns) > _MANY:
                self._turns = {i: t for i, t in self._turns.items() if t > now - _FORGOTTEN}
            turn = self._turns[id] = now + admission.take_turn()
        return turn - now if turn - now > _SLACK else 0.0
