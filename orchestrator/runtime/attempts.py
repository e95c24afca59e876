"""A policy as Temporal understands it: the attempts of an activity, and how they ended."""

from __future__ import annotations

from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError

from orchestrator.compile.plan import PolicyPlan
from orchestrator.runtime.effects import CommandFailed
from orchestrator.runtime.outcomes import exhausted, unanswered


def attempt_limit(policy: PolicyPlan) -> timedelta:
    """How long one attempt may take: the timeout, and the jitter that is waited before it."""
    return timedelta(seconds=policy.timeout + policy.jitter * policy.initial)


def retry_policy(policy: PolicyPlan) -> RetryPolicy:
    """How often and how soon to try again; jitter, which Temporal lacks, is the activity's own."""
    maximum = timedelta(seconds=policy.maximum) if policy.maximum is not None else None
    return RetryPolicy(
        initial_interval=timedelta(seconds=policy.initial),
        backoff_coefficient=policy.factor,
        maximum_interval=maximum,
        maximum_attempts=policy.attempts,
    )


def explained(error: ActivityError, policy: PolicyPlan) -> CommandFailed:
    """Why the attempts ended without an answer."""
    match error.cause:
        case TimeoutError():
            return unanswered(policy)
        case ApplicationError(message=message):
            return exhausted(message, policy)
    return exhausted(error.cause or error, policy)
