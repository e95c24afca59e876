"""Looks for what is wrong again and again, and tells of it: in the log, in the numbers, and to a
webhook."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from orchestrator.telemetry import metrics
from orchestrator.telemetry.alerts import Alert, Alerts, Turn
from orchestrator.telemetry.webhook import Webhook

log = structlog.get_logger(__name__)

#: What is wrong now, in one respect.
Look = Callable[[], Awaitable[Sequence[Alert]]]

#: Seconds between two looks, and those that the last news get at the end.
_EVERY, _FLUSH = 10.0, 5.0


class Alerting:
    """One process's. A look that fails tells nothing: what was wrong stays so."""

    def __init__(
        self,
        looks: Sequence[Look],
        webhook: Webhook | None,
        *,
        every: float = _EVERY,
        calm: float = 60.0,
    ) -> None:
        self._looks = looks
        self._webhook = webhook
        self._every = every
        self._alerts = [Alerts(calm) for _ in looks]
        if meters := metrics.meters():
            meters.alerts(lambda: [(a.kind, a.subject) for e in self._alerts for a in e.present])

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        telling = None if self._webhook is None else asyncio.create_task(self._webhook.run())
        try:
            while not stop.is_set():
                for look, alerts in zip(self._looks, self._alerts, strict=True):
                    await self._look(look, alerts)
                try:
                    async with asyncio.timeout(self._every):
                        await stop.wait()
                except TimeoutError:
                    continue
        finally:
            if telling is not None and self._webhook is not None:
                telling.cancel()
                await asyncio.wait((telling,))
                await self._webhook.flush(_FLUSH)

    async def _look(self, look: Look, alerts: Alerts) -> None:
        try:
            seen = await look()
        except Exception as error:
            log.warning("no look for alerts", error=type(error).__name__)
            return
        for news in alerts.look(seen):
            say = log.error if news.turn is Turn.RAISED else log.info
            say(f"alert {news.turn.value}", **news.as_dict())
            if self._webhook is not None:
                self._webhook.tell(news)
