"""Connecting to Temporal."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import cache

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, Interceptor
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RPCError

from orchestrator.telemetry import traces

#: How long a server that is asked whether it is there may think.
_CHECK = timedelta(seconds=5)


class TemporalError(Exception):
    """Temporal is out of reach or refuses; one sentence."""


async def connect(address: str, namespace: str = "default") -> Client:
    """A client of the server at `host:port`, and, while the process traces, of what it has the
    server do. Raises TemporalError when it does not answer, or the address cannot be read."""
    try:
        return await Client.connect(
            address, namespace=namespace, interceptors=_interceptors(), runtime=_runtime()
        )
    except RuntimeError as error:
        raise _away(address) from error
    except ValueError as error:
        raise TemporalError(f"`{address}` is no address of Temporal: it is `host:port`") from error


async def check(client: Client) -> None:
    """Raises TemporalError when the server does not answer."""
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        await client.workflow_service.describe_namespace(request, timeout=_CHECK)
    except RPCError as error:
        raise _away(client.service_client.config.target_host) from error


def _away(address: str) -> TemporalError:
    return TemporalError(
        f"Temporal does not answer at {address}: is it running? (`orchestrate dev` starts one)"
    )


@cache
def _runtime() -> Runtime:
    """Its core would write its log to standard output, which is a command's own."""
    errors = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    to = LogForwardingConfig(logging.getLogger("temporalio.core"))
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(errors, forwarding=to)))


def _interceptors() -> list[Interceptor]:
    """Workers take over those of their client. Theirs makes spans of a workflow only when it does
    something for the first time, never in a replay."""
    tracer = traces.tracer()
    if tracer is None:
        return []
    from temporalio.contrib.opentelemetry import TracingInterceptor

    return [TracingInterceptor(tracer)]
