"""What a call takes, and what undoes it."""

from __future__ import annotations

from datetime import timedelta
from math import inf

from dsl.budget.cost import NOTHING, Cost, Range
from dsl.budget.history import CALLED, CANCELLED_CHILD, CHILD, CLOCK, DURABLE, MARKER, STOPPED
from dsl.check.policies import longest
from dsl.model import Callee, CallModel, PolicyModel, StepModel


def forth(step: StepModel, clock: bool) -> Range:
    """A step's call: at best it is answered at once, at worst after all its attempts, or never.
    With `clock` the saga reads the clock."""
    worst = _attempts(step.call, step.policy, clock)
    if step.policy.dead_letter and step.call.callee is Callee.COMMAND:
        worst = worst.plus(Cost(history=MARKER, letters=1))
    return Range(_once(step.call), worst)


def child(step: StepModel, best: float, worst: float) -> Range:
    """A step's call of a saga that takes so many seconds, its own way back included. Its history
    and its messages are a budget of their own."""
    undone = Cost(worst, CHILD) if step.undoes_itself else NOTHING
    return Range(Cost(best, CALLED), Cost(worst, CHILD + CANCELLED_CHILD), undone)


def back(step: StepModel, clock: bool, block: Cost) -> Cost:
    """The most that undoing a step takes; `block` is what its `undo { }` does."""
    policy = step.undo_policy or step.policy
    undo = _attempts(step.undo, policy, clock) if step.undo is not None else block
    undo = undo._replace(commands=0.0, undos=undo.commands)
    # Its outcome may be unknown: then the step is called once more, to learn the answer.
    return undo.plus(_attempts(step.call, policy, clock)) if step.undo_reads_reply else undo


def _once(call: CallModel) -> Cost:
    if call.callee is Callee.ACTIVITY:
        return Cost(history=DURABLE, calls=1)
    return Cost(history=DURABLE if call.once else MARKER, commands=1)


def _attempts(call: CallModel, policy: PolicyModel, clock: bool) -> Cost:
    """All the attempts of a policy; a command has one more, its fast way, unless it is delivered at
    most once."""
    attempts, seconds = policy.retry.attempts, _longest(policy)
    if call.callee is Callee.ACTIVITY:
        return Cost(seconds, DURABLE + STOPPED, calls=attempts)
    history = (CLOCK if clock else 0) + DURABLE + STOPPED
    if call.once:
        return Cost(seconds, history, commands=attempts)
    return Cost(seconds, MARKER + history, commands=1 + attempts)


def _longest(policy: PolicyModel) -> float:
    found = longest(policy)
    return inf if found == timedelta.max else found.total_seconds()
