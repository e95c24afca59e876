"""How far some groups are behind, looked at again and again for numbers and alerts."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import structlog

from orchestrator.messaging.bus import BusError
from orchestrator.messaging.kafka_lag import KafkaLag
from orchestrator.messaging.kafka_settings import KafkaSettings
from orchestrator.messaging.lag import Lag, LagMonitor
from orchestrator.telemetry import metrics

log = structlog.get_logger(__name__)

#: Seconds between two looks; Prometheus asks as often, by default.
_EVERY = 15.0


class LagWatch:
    """`latest` is what the last look found."""

    def __init__(
        self, settings: KafkaSettings | str, groups: Collection[str], every: float = _EVERY
    ) -> None:
        self._settings = settings
        self._groups = groups
        self._every = every
        self.latest: list[Lag] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. A broker that is away is asked again at the next look, and what was
        found stays."""
        monitor = LagMonitor()
        while not stop.is_set():
            try:
                async with KafkaLag(self._settings) as kafka:
                    self.latest = monitor.judge(await kafka.observe(None, self._groups))
            except BusError as error:
                log.warning("lag not known", error=str(error))
            if meters := metrics.meters():
                meters.lag(self.latest)
            try:
                async with asyncio.timeout(self._every):
                    await stop.wait()
            except TimeoutError:
                continue
