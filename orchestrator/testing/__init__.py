"""Fakes that users' own tests run on, and the scenarios of flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.messaging.memory import MemoryBus

__all__ = ["MemoryBus"]


def __getattr__(name: str) -> Any:
    """`MemoryBus` when it is asked for: scenarios need no bus, and start sooner without one."""
    if name != "MemoryBus":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from orchestrator.messaging.memory import MemoryBus

    return MemoryBus
