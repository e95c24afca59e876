"""Traces: whether they are on, the spans of messages, and the context that a message carries.

OpenTelemetry is loaded when something is to be traced, and not before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanKind, Tracer, TracerProvider

#: The headers of W3C's trace context.
TRACEPARENT, TRACESTATE = "traceparent", "tracestate"

_SCOPE = "orchestrate"

_tracer: Tracer | None = None


def use(provider: TracerProvider | None) -> None:
    """Traces by this provider from now on; None: not any more. What was made before, a bus or a
    client, stays as it was."""
    global _tracer
    _tracer = None if provider is None else provider.get_tracer(_SCOPE)


def tracer() -> Tracer | None:
    """Whether, and by what, this process traces."""
    return _tracer


def span(
    name: str, kind: str, attributes: Mapping[str, Any], carried: Mapping[str, str]
) -> AbstractContextManager[Span | None]:
    """A span of this `kind` (`producer`, `consumer`) around the block; None without a tracer. Its
    parent is the present one of the process, else the one that a message has `carried`. Of an
    error it tells the class: its text may quote a payload."""
    return nullcontext() if _tracer is None else _span(_tracer, name, kind, attributes, carried)


@contextmanager
def _span(
    tracer: Tracer, name: str, kind: str, attributes: Mapping[str, Any], carried: Mapping[str, str]
) -> Iterator[Span]:
    begun = tracer.start_as_current_span(
        name,
        context=_parent(carried),
        kind=_kind(kind),
        attributes=dict(attributes),
        record_exception=False,
        set_status_on_exception=False,
    )
    with begun as found:
        try:
            yield found
        except Exception as error:
            _fail(found, error)
            raise


def failed(error: BaseException) -> None:
    """Marks the present span as failed, for an error that is dealt with."""
    if _tracer is not None:
        from opentelemetry import trace

        _fail(trace.get_current_span(), error)


def carried(otherwise: Mapping[str, str | None]) -> dict[str, str | None]:
    """The headers that continue the present trace in a message; `otherwise` without a span."""
    found = _injected()
    return dict(otherwise) if not found else {TRACEPARENT: None, TRACESTATE: None, **found}


def present() -> dict[str, str]:
    """The present span as `trace_id` and `span_id`; nothing without one."""
    if _tracer is None:
        return {}
    from opentelemetry import trace

    found = trace.get_current_span().get_span_context()
    if not found.is_valid:
        return {}
    return {"trace_id": f"{found.trace_id:032x}", "span_id": f"{found.span_id:016x}"}


def _injected() -> dict[str, str]:
    if _tracer is None:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    found: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(found)
    return found


def _parent(carried: Mapping[str, str]) -> Any:
    from opentelemetry import context, trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    present = context.get_current()
    if trace.get_current_span(present).get_span_context().is_valid:
        return present
    return TraceContextTextMapPropagator().extract(carried, present)


def _kind(kind: str) -> SpanKind:
    from opentelemetry.trace import SpanKind

    return SpanKind[kind.upper()]


def _fail(span: Span, error: BaseException) -> None:
    from opentelemetry.trace import StatusCode

    span.set_attribute("error.type", type(error).__qualname__)
    span.set_status(StatusCode.ERROR, type(error).__qualname__)
