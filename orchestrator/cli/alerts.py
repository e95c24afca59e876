"""The alerts of a worker's or a service's process, as the settings say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.messaging.admission import admissions
from orchestrator.messaging.alarms import circuit_alerts, lag_alerts
from orchestrator.telemetry.alerting import Alerting, Look
from orchestrator.telemetry.alerts import Alert
from orchestrator.telemetry.webhook import Webhook

if TYPE_CHECKING:
    from temporalio.client import Client

    from orchestrator.messaging.lag_watch import LagWatch
    from orchestrator.settings import Settings

#: Sagas that are counted at most, and seconds between two counts: Temporal lists all that run.
_PARKED, _RARELY = 1_000, 60.0


def alerting(
    settings: Settings, lag: LagWatch, client: Client | None = None
) -> Callable[[asyncio.Event], Coroutine[Any, Any, None]] | None:
    """What looks for that which the settings name; None when they name nothing."""
    looks: list[Look] = []
    if (seconds := settings.alert_lag) is not None:
        looks.append(_lag(lag, seconds))
    if (seconds := settings.alert_circuit) is not None:
        looks.append(_circuits(seconds))
    if settings.alert_parked is not None and client is not None:
        looks.append(_Parked(client, settings.alert_parked))
    if not looks:
        return None
    url, secret = settings.alert_webhook, settings.alert_secret
    webhook = None
    if url is not None:
        webhook = Webhook(url.get_secret_value(), secret.get_secret_value() if secret else None)
    return Alerting(looks, webhook).run


def _lag(watch: LagWatch, seconds: float) -> Look:
    async def look() -> Sequence[Alert]:
        return lag_alerts(watch.latest, seconds)

    return look


def _circuits(seconds: float) -> Look:
    async def look() -> Sequence[Alert]:
        return circuit_alerts(admissions(), seconds)

    return look


class _Parked:
    """Sagas that wait for a person."""

    def __init__(self, client: Client, most: int) -> None:
        self._client = client
        self._most = most
        self._next = 0.0
        self._found: Sequence[Alert] = ()

    async def __call__(self) -> Sequence[Alert]:
        from orchestrator.runtime.instances import Instances

        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _RARELY
            waiting = await Instances(self._client).list(None, "running", True, _PARKED)
            self._found = self._alert(len(waiting)) if len(waiting) >= self._most else ()
        return self._found

    def _alert(self, count: int) -> Sequence[Alert]:
        text = f"{count} sagas wait for a person's decision: `orchestrate list --attention`"
        return [Alert("parked", "sagas", text)]
