"""Alerts are told once, wherever they are to be told, and get lost nowhere."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from orchestrator.cli.alerts import alerting
from orchestrator.messaging.admission import Admission, Bounds
from orchestrator.messaging.alarms import circuit_alerts, lag_alerts
from orchestrator.messaging.lag import Lag, LagStatus
from orchestrator.messaging.lag_watch import LagWatch
from orchestrator.settings import load_settings
from orchestrator.telemetry import metrics
from orchestrator.telemetry.alerting import Alerting
from orchestrator.telemetry.alerts import Alert, Alerts, News, Turn
from orchestrator.telemetry.webhook import SIGNATURE, Webhook
from tests.runtime.eventually import eventually

SECRET = "s3cret"
LATE = Alert("lag", "payments on payments.commands", "it is late")
_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
OPEN = Alert("circuit", "bureaus", "it is open")


class Listener:
    """Who is told: takes nothing while it is down."""

    def __init__(self) -> None:
        self.down = False
        self.refused = 0
        self.taken: list[tuple[str, bytes]] = []
        self.url = ""

    @property
    def told(self) -> list[tuple[str, str]]:
        """What became of what."""
        said = [json.loads(body) for _, body in self.taken]
        return [(s["state"], s["alert"]) for s in said]


@pytest.fixture
def listener() -> Iterator[Listener]:
    """It listens."""
    found = Listener()

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if found.down:
                found.refused += 1
            else:
                found.taken.append((self.headers.get(SIGNATURE, ""), body))
            self.send_response(503 if found.down else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def test_once_and_once_when_it_is_over() -> None:
    """However often it is seen; one that comes back soon was never over."""
    now = [0.0]
    alerts = Alerts(calm=60, clock=lambda: now[0])

    def look(*seen: Alert) -> list[tuple[Turn, str]]:
        return [(n.turn, n.alert.kind) for n in alerts.look(seen)]

    assert look(LATE) == [(Turn.RAISED, "lag")]
    assert look(LATE, OPEN) == [(Turn.RAISED, "circuit")]
    now[0] = 50
    assert look(LATE) == []
    now[0] = 70
    assert look() == [(Turn.RESOLVED, "circuit")]
    assert look(LATE) == []
    now[0] = 200
    assert look() == [(Turn.RESOLVED, "lag")]
    assert look(LATE) == [(Turn.RAISED, "lag")]


async def test_a_webhook_that_is_down_loses_nothing(listener: Listener) -> None:
    """It hears all in its order, each signed, when it is back."""
    listener.down = True
    webhook = Webhook(listener.url, SECRET, first_wait=0.01)
    task = asyncio.create_task(webhook.run())
    for turn in (Turn.RAISED, Turn.RESOLVED):
        for alert in (LATE, OPEN):
            webhook.tell(News(turn, alert, _SINCE))
    await eventually(lambda: listener.refused >= 3, "it refused")
    listener.down = False
    await eventually(lambda: len(listener.taken) == 4, "it took all")
    task.cancel()
    expected = [(t, a) for t in ("raised", "resolved") for a in ("lag", "circuit")]
    assert listener.told == expected
    for signature, body in listener.taken:
        at, signed = (part.partition("=")[2] for part in signature.split(","))
        right = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256)
        assert hmac.compare_digest(signed, right.hexdigest())
    assert json.loads(listener.taken[0][1])["id"] == LATE.id


async def test_log_number_and_webhook(listener: Listener) -> None:
    """All three hear of it once; a look that fails ends no alert; a stop waits for the webhook."""
    metrics.end()
    meters = metrics.begin()
    looks, stop, there = 0, asyncio.Event(), True

    async def look() -> Sequence[Alert]:
        nonlocal looks
        looks += 1
        if looks % 2:
            return [LATE] if there else []
        raise OSError("away")

    alerting = Alerting([look], Webhook(listener.url, None), every=0.01, calm=0.05)
    with capture_logs() as lines:
        task = asyncio.create_task(alerting.run(stop))
        await eventually(lambda: looks > 20, "many looks")
        shown = generate_latest(meters.registry).decode()
        assert f'orchestrate_alert{{alert="lag",subject="{LATE.subject}"}} 1.0' in shown
        there = False
        await eventually(lambda: len(listener.taken) == 2, "it is over")
        stop.set()
        await task
    metrics.end()
    assert listener.told == [("raised", "lag"), ("resolved", "lag")]
    said = [line["event"] for line in lines if line["event"].startswith("alert")]
    assert said == ["alert raised", "alert resolved"]
    assert "orchestrate_alert{" not in generate_latest(meters.registry).decode()


def test_readers_that_are_behind() -> None:
    """One alert for a topic's worst partition, and one for who stands still."""
    lags = [
        Lag("pay", "pay.commands", 0, 5, 70.0, LagStatus.WARNING),
        Lag("pay", "pay.commands", 1, 9, 90.0, LagStatus.WARNING),
        Lag("ship", "ship.commands", 0, 1, 12.0, LagStatus.STALLED),
        Lag("ship", "ship.events", 0, 1, 12.0, LagStatus.OK),
    ]
    first, second = lag_alerts(lags, 60)
    assert first.subject == "pay on pay.commands"
    assert "9 messages, 90 s, behind in partition 1" in first.text
    assert second.subject == "ship on ship.commands" and "stalled" in second.text


async def test_circuits_that_are_open() -> None:
    """From the given time on, until they are closed."""
    admission = Admission("bureaus", Bounds(breaker=(1, 10.0, 0.01)))
    assert circuit_alerts([admission], 0) == []
    async with admission.attempt() as attempt:
        attempt.failed()
    assert [a.subject for a in circuit_alerts([admission], 0)] == ["bureaus"]
    assert circuit_alerts([admission], 3600) == []
    async with admission.attempt():
        pass
    assert circuit_alerts([admission], 0) == []


def test_what_the_settings_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing looks where they name nothing; secrets show nowhere."""
    monkeypatch.chdir(tmp_path)
    watch = LagWatch("127.0.0.1:1", ["g"])
    assert alerting(load_settings(), watch) is None
    text = '[env.local]\nalert_lag = 300\nalert_webhook = "https://hooks.example.org/t0ken"\n'
    (tmp_path / "orchestrate.toml").write_text(text)
    monkeypatch.setenv("ORCHESTRATE_ALERT_SECRET", SECRET)
    settings: Any = load_settings()
    assert alerting(settings, watch) is not None
    assert SECRET not in repr(settings) and "t0ken" not in repr(settings)
