"""Connecting to Temporal."""

from __future__ import annotations

from temporalio.client import Client, Interceptor

from orchestrator.telemetry import traces


class TemporalError(Exception):
    """Temporal is out of reach or refuses; one sentence."""


async def connect(address: str, namespace: str = "default") -> Client:
    """A client of the server at `host:port`, and, while the process traces, of what it has the
    server do. Raises TemporalError when it does not answer."""
    try:
        return await Client.connect(address, namespace=namespace, interceptors=_interceptors())
    except RuntimeError as error:
        raise TemporalError(
            f"Temporal does not answer at {address}: is it running? (`orchestrate dev` starts one)"
        ) from error


def _interceptors() -> list[Interceptor]:
    """Workers take over those of their client. Theirs makes spans of a workflow only when it does
    something for the first time, never in a replay."""
    tracer = traces.tracer()
    if tracer is None:
        return []
    from temporalio.contrib.opentelemetry import TracingInterceptor

    return [TracingInterceptor(tracer)]
