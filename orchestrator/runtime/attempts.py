"""A policy as Temporal understands it: the attempts of an activity, and how they ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError

from orchestrator.compile.plan import PolicyPlan
from orchestrator.runtime.effects import CommandFailed
from orchestrator.runtime.outcomes import exhausted, unanswered
from orchestrator.runtime.wire import HELD

#: Seconds: the waits of a step that is held back again and again grow to this, so that they do not
#: fill its history.
_FIRST_HOLD, _LONGEST_HOLD = 0.2, 10.0


def attempt_limit(policy: PolicyPlan) -> timedelta:
    """How long one attempt may take: the timeout, and the jitter that is waited before it."""
    return timedelta(seconds=policy.timeout + policy.jitter * policy.initial)


def retry_policy(policy: PolicyPlan, attempts: int | None = None) -> RetryPolicy:
    """How often, or with so many `attempts`, and how soon to try again; jitter, which Temporal
    lacks, is the activity's own."""
    maximum = timedelta(seconds=policy.maximum) if policy.maximum is not None else None
    return RetryPolicy(
        initial_interval=timedelta(seconds=policy.initial),
        backoff_coefficient=policy.factor,
        maximum_interval=maximum,
        maximum_attempts=policy.attempts if attempts is None else attempts,
    )


@dataclass(frozen=True, slots=True)
class Held:
    """An attempt that was not made: it is worth asking again after `seconds`, as a `probe` where
    that is said, and so many attempts were `spent` before."""

    seconds: float
    spent: int
    probe: bool

    def wait_after(self, holds: int) -> float:
        """Seconds to wait, when it was held back so often before."""
        if self.probe:
            return 0.0
        return max(self.seconds, min(_FIRST_HOLD * 2.0 ** min(holds, 10), _LONGEST_HOLD))


def held_back(error: ActivityError) -> Held | None:
    """Whether the last attempt was held back."""
    match error.cause:
        case ApplicationError(type=kind, details=[seconds, spent, probe]) if kind == HELD:
            return Held(float(seconds), int(spent), bool(probe))
    return None


def explained(error: ActivityError, policy: PolicyPlan) -> CommandFailed:
    """Why the attempts ended without an answer."""
    match error.cause:
        case TimeoutError():
            return unanswered(policy)
        case ApplicationError(message=message):
            return exhausted(message, policy)
    return exhausted(error.cause or error, policy)
