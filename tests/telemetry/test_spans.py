"""Traces are off until somebody names a place for them, and tell nothing of what errors say."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dsl.model import TopicModel
from orchestrator.messaging.memory import MemoryBus
from orchestrator.messaging.record import Record
from orchestrator.messaging.traced import traced_bus, traced_handle
from orchestrator.telemetry import traces
from orchestrator.telemetry.exporting import TelemetryError, exporters, exporting
from orchestrator.telemetry.redaction import Redacted

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable says anything."""
    for name in ("OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    """Traces, kept in memory."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Redacted(exporter)))
    traces.use(provider)
    yield exporter
    traces.use(None)


def test_off_by_itself() -> None:
    """Without a variable nothing is wrapped, and OpenTelemetry is not even loaded."""
    assert exporters() == ()
    bus = MemoryBus()
    with exporting("x"):
        assert traced_bus(bus) is bus
        assert traced_handle(bus.publish, "g") == bus.publish
    program = (
        "import sys; from orchestrator.cli.app import app;"
        "from orchestrator.service import Service; from orchestrator.messaging import traced;"
        "print([m for m in sys.modules if m.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, ("otlp",)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, ("otlp",)),
        ({"OTEL_TRACES_EXPORTER": "console, otlp"}, ("console", "otlp")),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, ()),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}, ()),
    ],
)
def test_what_the_variables_say(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], found: tuple[str, ...]
) -> None:
    """As OpenTelemetry's own programs read them, but for the default: nothing."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert exporters() == found


def test_an_exporter_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence names it and the way out."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "pigeon")
    said = "no OpenTelemetry exporter `pigeon`: install"
    with pytest.raises(TelemetryError, match=said), exporting("x"):
        pass


def test_a_collector_that_is_away_holds_nobody_up() -> None:
    """A command ends, and says nothing of it."""
    program = (
        "from orchestrator.telemetry import traces;"
        "from orchestrator.telemetry.exporting import exporting\n"
        "with exporting('x'), traces.span('a', 'consumer', {}, {}): print('traced')\n"
        "print('done')"
    )
    env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=env, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "traced\ndone\n", "")


async def test_the_span_of_a_handler_that_fails(kept: InMemorySpanExporter) -> None:
    """It is a child of the sender's, and tells the error's class alone."""

    async def broken(record: Record) -> None:
        with trace.get_tracer_provider().get_tracer("t").start_as_current_span("own"):
            raise ValueError(SECRET)

    handle = traced_handle(broken, "wares")
    parent = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    headers = (("traceparent", parent.encode()), ("ce_id", b"m1"))
    with pytest.raises(ValueError):
        await handle(Record("wares.commands", SECRET, SECRET.encode(), headers, 3, 7))
    [span] = kept.get_finished_spans()
    assert span.name == "process wares.commands"
    assert span.parent and f"{span.parent.span_id:x}" == "b" * 16
    assert span.attributes and span.attributes["error.type"] == "ValueError"
    assert span.attributes["messaging.message.id"] == "m1"
    assert span.attributes["messaging.kafka.offset"] == 7
    assert not span.status.is_ok
    assert SECRET not in span.to_json()


async def test_what_others_record_is_redacted(kept: InMemorySpanExporter) -> None:
    """A library that writes an error's text into its span tells its class, then."""
    tracer = traces.tracer()
    assert tracer
    with pytest.raises(ValueError), tracer.start_as_current_span("theirs"):
        raise ValueError(SECRET)
    [span] = kept.get_finished_spans()
    assert SECRET not in span.to_json() and "ValueError" in span.to_json()
    assert not span.status.is_ok


async def test_messages_carry_the_trace(kept: InMemorySpanExporter) -> None:
    """What is published goes on in the trace of the present span, or of its own headers."""
    async with MemoryBus() as inner:
        bus, tracer = traced_bus(inner), traces.tracer()
        assert tracer
        await bus.create_topics([TopicModel(name="t", partitions=1)])
        reader = await bus.tap(["t"])
        with tracer.start_as_current_span("outer") as outer:
            await bus.publish(Record("t", "k", b"1"))
        old = ("traceparent", b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01")
        assert await bus.publish_all([Record("t", "k", b"2", (old, ("x", b"y")))]) == {}
        one, two = await reader.poll(10, 1.0)
    sent = {s.name: s for s in kept.get_finished_spans() if s.name == "send t"}
    assert sent
    own = f"{outer.get_span_context().trace_id:032x}".encode()
    assert own in (one.header("traceparent") or b"")
    assert two.header("traceparent") != old[1] and b"a" * 32 in (two.header("traceparent") or b"")
    assert two.header("x") == b"y"
