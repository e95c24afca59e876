"""Lines of a log: what they say, and what they never do."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from orchestrator.cli import logs
from orchestrator.messaging.envelope import Envelope
from orchestrator.service.about import about
from orchestrator.telemetry import traces

PAYLOAD, SECRET = "card-4111-1111", "hunter2"


@pytest.fixture(params=["text", "json"])
def lines(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """A log in each format."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    out = io.StringIO()
    logs._configure(out, request.param, colors=False)
    yield out
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def lose(payload: str) -> None:
    """Raises an error that quotes what it worked on."""
    raise ValueError(f"cannot charge {payload}")


def tell() -> None:
    """What a program may come to log."""
    log = structlog.get_logger("test")
    envelope = Envelope(
        id="PlaceOrder/7#paid",
        type="shop.Pay",
        source="/sagas/PlaceOrder",
        time=datetime(2026, 1, 1, tzinfo=UTC),
        key=PAYLOAD,
        data=PAYLOAD.encode(),
        correlation_id="PlaceOrder/7",
    )
    with about(envelope):
        try:
            lose(PAYLOAD)
        except ValueError as error:
            log.error("handler failed", exc_info=error)
            logging.getLogger("theirs").exception("failed")
        log.warning("where", url=f"postgresql://app:{SECRET}@db/orders", api_key=SECRET)
        log.info("connecting", error=f"amqp://app:{SECRET}@host refused")
    log.info("after")


def test_neither_payloads_nor_secrets(lines: io.StringIO) -> None:
    """Not in an error's text, nor in what others log of it, nor in a URL or a field."""
    tell()
    found = lines.getvalue()
    assert PAYLOAD not in found and SECRET not in found
    assert "ValueError" in found and "postgresql://app:***@db/orders" in found


def test_a_line_says_what_it_is_about(capsys: Any) -> None:
    """In JSON: the saga, the message, the span; and an error's course without its text."""
    out = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs._configure(out, "json", colors=False)
    traces.use(TracerProvider())
    try:
        with traces.span("x", "consumer", {}, {}) as span:
            assert span
            tell()
            trace = f"{span.get_span_context().trace_id:032x}"
    finally:
        traces.use(None)
        root.handlers[:], root.level = before
        structlog.reset_defaults()
    first, theirs, *_, after = [json.loads(line) for line in out.getvalue().splitlines()]
    for line in (first, theirs):
        assert (line["saga"], line["message_id"]) == ("PlaceOrder/7", "PlaceOrder/7#paid")
        assert line["trace_id"] == trace and line["level"] == "error"
        assert "in lose" in line["exception"] and line["exception"].endswith("ValueError")
    assert first["event"] == "handler failed" and theirs["logger"] == "theirs"
    assert datetime.fromisoformat(first["timestamp"]).tzinfo is not None
    assert "saga" not in after
