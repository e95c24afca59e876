"""Where traces go, by the standard variables `OTEL_*`; nowhere unless one of them says so."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from orchestrator.telemetry import traces

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


#: Seconds.
_PATIENCE = 5.0


class TelemetryError(Exception):
    """An exporter that is asked for and not there; one sentence."""


@contextmanager
def exporting(service: str) -> Iterator[None]:
    """Traces inside of the block, where the environment names an exporter; at its end what is left
    is sent, for a few seconds at most. `service` is the process's name unless `OTEL_SERVICE_NAME`
    says another. Raises TelemetryError."""
    provider = _provider(service)
    if provider is None:
        yield
        return
    traces.use(provider)
    try:
        yield
    finally:
        traces.use(None)
        _shut(provider)


def _shut(provider: TracerProvider) -> None:
    """A collector that is away keeps nobody from ending: its exporter tries for long."""
    sending = threading.Thread(target=provider.shutdown, daemon=True)
    sending.start()
    sending.join(_PATIENCE)


def exporters() -> tuple[str, ...]:
    """The names of the exporters that the environment asks for."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return ()
    said = os.environ.get("OTEL_TRACES_EXPORTER", "").strip()
    if not said:
        return ("otlp",) if any(os.environ.get(name) for name in _ENDPOINTS) else ()
    names = dict.fromkeys(name.strip() for name in said.split(","))
    return tuple(name for name in names if name not in ("", "none"))


def _provider(service: str) -> TracerProvider | None:
    names = exporters()
    if not names:
        return None
    from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from orchestrator.telemetry.redaction import Redacted

    said = OTELResourceDetector().detect()
    # A command that is soon done does not tell of a collector that is away; what logs, does.
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    resource = Resource.create({SERVICE_NAME: service}).merge(said)
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    for name in names:
        provider.add_span_processor(BatchSpanProcessor(Redacted(_exporter(name))))
    return provider


def _exporter(name: str) -> SpanExporter:
    """By OpenTelemetry's own entry points, so that any exporter that is installed will do."""
    if name == "otlp":
        said = next((s for p in _PROTOCOLS if (s := os.environ.get(p))), "http/protobuf")
        name = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}.get(said, said)
    for found in entry_points(group="opentelemetry_traces_exporter", name=name):
        made: SpanExporter = found.load()()
        return made
    raise TelemetryError(
        f"there is no OpenTelemetry exporter `{name}`: install the package that has it, or correct"
        " OTEL_TRACES_EXPORTER or OTEL_EXPORTER_OTLP_PROTOCOL"
    )
