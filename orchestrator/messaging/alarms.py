"""What is wrong with messages: readers that are behind, circuits that are open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.messaging.admission import Admission
from orchestrator.messaging.lag import Lag, LagStatus
from orchestrator.telemetry.alerts import Alert


def lag_alerts(found: Iterable[Lag], seconds: float) -> Sequence[Alert]:
    """One for each group and topic of which a partition is so far behind, or stands still."""
    worst: dict[tuple[str, str], Lag] = {}
    for lag in found:
        if lag.seconds >= seconds or lag.status is LagStatus.STALLED:
            known = worst.get((lag.group, lag.topic))
            if known is None or lag.seconds > known.seconds:
                worst[lag.group, lag.topic] = lag
    return [
        Alert(
            "lag",
            f"{group} on {topic}",
            f"`{group}` is {lag.messages} messages, {lag.seconds:.0f} s, behind in partition"
            f" {lag.partition} of `{topic}`: {lag.status.value}",
        )
        for (group, topic), lag in worst.items()
    ]


def circuit_alerts(admissions: Iterable[Admission], seconds: float) -> Sequence[Alert]:
    """One for each circuit that has not been closed for so long."""
    return [
        Alert("circuit", a.name, f"the circuit to `{a.name}` is open for {a.troubled:.0f} s")
        for a in admissions
        if a.troubled and a.troubled >= seconds
    ]
