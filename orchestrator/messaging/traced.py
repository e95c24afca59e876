"""Messages in traces: a span for each that is sent or handled, after OpenTelemetry's conventions
for messaging, and the context in its headers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from orchestrator.messaging.around import BusAround
from orchestrator.messaging.bus import Bus, BusError, Transform
from orchestrator.messaging.lanes import Handle
from orchestrator.messaging.record import Record
from orchestrator.telemetry import traces

#: Attributes that say what a message is, by the header that holds it.
_TOLD = {
    "ce_id": "messaging.message.id",
    "ce_type": "orchestrate.message.type",
    "correlationid": "messaging.message.conversation_id",
}

_CONTEXT = (traces.TRACEPARENT, traces.TRACESTATE)


def traced_bus(bus: Bus) -> Bus:
    """The bus itself while nothing is traced."""
    return bus if traces.tracer() is None else TracedBus(bus)


def traced_handle(handle: Handle, group: str) -> Handle:
    """`handle` with a span around each record; itself while nothing is traced."""
    if traces.tracer() is None:
        return handle

    async def traced(record: Record) -> None:
        with processing(record, group):
            await handle(record)

    return traced


def processing(record: Record, group: str) -> AbstractContextManager[Any]:
    """The span of a record that is handled, a child of its sender's."""
    if traces.tracer() is None:
        return traces.span("", "consumer", {}, {})
    attributes = _attributes(record, "process")
    attributes["messaging.consumer.group.name"] = group
    if record.offset is not None:
        attributes["messaging.kafka.offset"] = record.offset
    return traces.span(f"process {record.topic}", "consumer", attributes, _carried(record))


class TracedBus(BusAround):
    """A bus whose messages are traced."""

    async def publish(self, record: Record) -> None:
        """See `Bus`."""
        with _sending(record):
            await self._bus.publish(_with_context(record))

    async def publish_all(self, records: Sequence[Record]) -> dict[int, BusError]:
        """See `Bus`. Each message has a span of its own, which says that it was handed over."""
        sent = []
        for record in records:
            with _sending(record):
                sent.append(_with_context(record))
        return await self._bus.publish_all(sent)

    async def transform(
        self, topics: Sequence[str], group: str, transform: Transform, *, stop: asyncio.Event
    ) -> None:
        """See `Bus`."""

        async def traced(record: Record) -> Sequence[Record]:
            with processing(record, group):
                return [_with_context(r) for r in await transform(record)]

        await self._bus.transform(topics, group, traced, stop=stop)


def _sending(record: Record) -> AbstractContextManager[Any]:
    attributes = _attributes(record, "send")
    return traces.span(f"send {record.topic}", "producer", attributes, _carried(record))


def _attributes(record: Record, operation: str) -> dict[str, Any]:
    """Neither the key nor the value: they are nobody's business."""
    found: dict[str, Any] = {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": record.topic,
        "messaging.message.body.size": len(record.value),
    }
    if record.partition is not None:
        found["messaging.destination.partition.id"] = str(record.partition)
    for name, value in record.headers:
        if name in _TOLD:
            found[_TOLD[name]] = value.decode("utf-8", "replace")
    return found


def _carried(record: Record) -> Mapping[str, str]:
    return {n: v.decode("ascii", "replace") for n, v in record.headers if n in _CONTEXT}


def _with_context(record: Record) -> Record:
    """The record, sent in the present span."""
    context = traces.carried({})
    if not context:
        return record
    kept = tuple((n, v) for n, v in record.headers if n not in _CONTEXT)
    new = tuple((n, v.encode()) for n, v in context.items() if v)
    return record._replace(headers=kept + new)
