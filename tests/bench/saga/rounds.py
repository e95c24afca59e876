"""What the rounds gave, and how it is put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

from tests.bench.saga.contender import Alone, Slice
from tests.bench.saga.orders import Kind


@dataclass(slots=True)
class Round:
    """One turn of all. `control` is empty workflows/s at its start."""

    control: float
    alone: dict[Kind, Alone] = field(default_factory=dict)
    load: dict[Kind, Slice] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of ours and of another kind. `ratio` is the rounds' median, `low` and `high` the
    rounds' extremes."""

    ours: float
    other: float
    ratio: float
    low: float
    high: float


def compare(rounds: Sequence[Round], other: Kind, figure: Callable[[Slice], float]) -> Compared:
    """A figure under load, round by round."""
    pairs = [(figure(r.load[Kind.OURS]), figure(r.load[other])) for r in rounds]
    ratios = [mine / theirs for mine, theirs in pairs if theirs]
    mine, theirs = (median(column) for column in zip(*pairs, strict=True))
    return Compared(mine, theirs, median(ratios), min(ratios), max(ratios))


def percentile(rounds: Iterable[Round], kind: Kind, percent: int) -> float:
    """Of all latencies alone, in seconds."""
    found = [seconds for r in rounds for seconds in r.alone[kind].latencies]
    return quantiles(found, n=100, method="inclusive")[percent - 1]


def retried(rounds: Sequence[Round], kind: Kind) -> float:
    """Activities per saga that only the load led to: retries, or our steps' durable way."""
    return max(r.load[kind].activities - r.alone[kind].activities for r in rounds)


def spread(rates: Sequence[float]) -> float:
    """By how much the control moved: the largest rate over the smallest, less one."""
    return max(rates) / min(rates) - 1
