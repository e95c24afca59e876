"""How far some groups are behind, looked at again and again for the process's numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import structlog

from orchestrator.messaging.bus import BusError
from orchestrator.messaging.kafka_lag import KafkaLag
from orchestrator.messaging.kafka_settings import KafkaSettings
from orchestrator.messaging.lag import LagMonitor
from orchestrator.telemetry import metrics

log = structlog.get_logger(__name__)

#: Seconds between two looks; Prometheus asks as often, by default.
EVERY = 15.0


async def watch_lag(
    settings: KafkaSettings | str,
    groups: Collection[str],
    stop: asyncio.Event,
    every: float = EVERY,
) -> None:
    """Until `stop` is set; does nothing while no numbers are kept. A broker that is away is asked
    again at the next look, and the numbers stay what they were."""
    meters, monitor = metrics.meters(), LagMonitor()
    while meters is not None and not stop.is_set():
        try:
            async with KafkaLag(settings) as kafka:
                meters.lag(monitor.judge(await kafka.observe(None, groups)))
        except BusError as error:
            log.warning("lag not known", error=str(error))
        try:
            async with asyncio.timeout(every):
                await stop.wait()
        except TimeoutError:
            continue
