"""A webhook that hears of alerts: signed, and told again until it has taken them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections import deque

import structlog

from orchestrator.telemetry.alerts import News

log = structlog.get_logger(__name__)

SIGNATURE = "Orchestrate-Signature"

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
#: Seconds that one request may take.
_PATIENCE = 10.0
#: News that wait at most; of more the oldest are logged as lost.
_MOST = 10_000


class Webhook:
    """POSTs each news as JSON to a URL, in order. With a secret, the header
    `Orchestrate-Signature: t=<seconds>,v1=<hex>` is the HMAC-SHA256 of `<seconds>.<body>`."""

    def __init__(self, url: str, secret: str | None, first_wait: float = _FIRST_WAIT) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError("a webhook's URL begins with http:// or https://")
        self._url = url
        self._secret = secret
        self._first_wait = first_wait
        self._waiting: deque[News] = deque()
        self._more = asyncio.Event()

    def tell(self, news: News) -> None:
        """Queues it."""
        if len(self._waiting) >= _MOST:
            lost = self._waiting.popleft()
            log.error("alert not told", **lost.as_dict())
        self._waiting.append(news)
        self._more.set()

    async def run(self) -> None:
        """Tells what is queued, until it is cancelled; what is not taken is told again."""
        wait = self._first_wait
        while True:
            while self._waiting:
                problem = await asyncio.to_thread(self._post, self._waiting[0])
                if problem is None:
                    self._waiting.popleft()
                    wait = self._first_wait
                    continue
                log.warning("webhook did not take an alert, told again", error=problem)
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
            self._more.clear()
            await self._more.wait()

    async def flush(self, limit: float) -> None:
        """Tells what is left, for at most so many seconds."""
        try:
            async with asyncio.timeout(limit):
                while self._waiting:
                    if await asyncio.to_thread(self._post, self._waiting[0]) is not None:
                        return
                    self._waiting.popleft()
        except TimeoutError:
            return

    def _post(self, news: News) -> str | None:
        """Why it was not taken; neither the URL nor what the other side says is in there."""
        body = json.dumps(news.as_dict()).encode()
        request = urllib.request.Request(self._url, body, self._headers(body), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
                return None if answer.status < 300 else f"status {answer.status}"
        except urllib.error.HTTPError as error:
            return f"status {error.code}"
        except (OSError, ValueError) as error:
            return type(error).__name__

    def _headers(self, body: bytes) -> dict[str, str]:
        headers = {"content-type": "application/json", "user-agent": "orchestrate"}
        if self._secret is not None:
            at = str(int(time.time()))
            signed = hmac.new(self._secret.encode(), at.encode() + b"." + body, hashlib.sha256)
            headers[SIGNATURE] = f"t={at},v1={signed.hexdigest()}"
        return headers
