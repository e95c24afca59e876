"""Calls, and what their policies grant them, for the plan."""

from __future__ import annotations

from dsl.model import CallModel, PolicyModel
from orchestrator.compile.plan import BreakerPlan, CallPlan, PolicyPlan, RatePlan


def call_plan(call: CallModel, policy: PolicyModel) -> CallPlan:
    """A call with what it is granted."""
    return CallPlan(
        command=call.command,
        callee=call.callee,
        once=call.once,
        arguments=call.arguments,
        policy=_policy(policy),
    )


def _policy(policy: PolicyModel) -> PolicyPlan:
    retry, breaker, rate = policy.retry, policy.circuit_breaker, policy.rate_limit
    return PolicyPlan(
        timeout=policy.timeout.total_seconds(),
        attempts=retry.attempts,
        initial=retry.initial.total_seconds(),
        factor=retry.factor,
        maximum=retry.maximum.total_seconds() if retry.maximum is not None else None,
        jitter=retry.jitter,
        dead_letter=policy.dead_letter,
        exhausted=policy.exhausted,
        order=policy.order,
        breaker=BreakerPlan(
            failures=breaker.failures,
            within=breaker.within.total_seconds(),
            open_for=breaker.open_for.total_seconds(),
        )
        if breaker
        else None,
        rate=RatePlan(count=rate.count, per=rate.per.total_seconds()) if rate else None,
        max_in_flight=policy.max_in_flight,
        overflow=policy.overflow,
    )
