"""What a call is granted."""

from __future__ import annotations

from dsl.model import Exhausted, Order, Overflow
from orchestrator.compile.plan.part import Part


class BreakerPlan(Part):
    """Opens after `failures` within so many seconds; lets one attempt through after `open_for`."""

    failures: int
    within: float
    open_for: float


class RatePlan(Part):
    """So many messages in `per` seconds."""

    count: int
    per: float


class PolicyPlan(Part):
    """What a call is granted; `initial`, `factor` and `maximum` space the attempts, each wait
    lengthened by up to the share `jitter`. `exhausted` says what follows when they are used up."""

    timeout: float
    attempts: int = 1
    initial: float = 1.0
    factor: float = 1.0
    maximum: float | None = None
    jitter: float = 0.0
    dead_letter: str | None = None
    exhausted: Exhausted = Exhausted.COMPENSATE
    order: Order = Order.ORDERED
    breaker: BreakerPlan | None = None
    rate: RatePlan | None = None
    max_in_flight: int | None = None
    overflow: Overflow = Overflow.BLOCK
