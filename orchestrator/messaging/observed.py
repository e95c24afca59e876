"""Messages in traces and in numbers, where a process tells of either."""

from __future__ import annotations

from orchestrator.messaging.bus import Bus
from orchestrator.messaging.lanes import Handle
from orchestrator.messaging.metered import metered_bus, metered_handle
from orchestrator.messaging.traced import traced_bus, traced_handle


def observed_bus(bus: Bus) -> Bus:
    """A bus whose messages are seen; the bus itself while nobody looks."""
    return traced_bus(metered_bus(bus))


def observed_handle(handle: Handle, group: str) -> Handle:
    """A group's `handle`, seen; itself while nobody looks."""
    return metered_handle(traced_handle(handle, group), group)
