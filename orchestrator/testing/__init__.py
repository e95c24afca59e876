"""Fakes that users' own tests run on."""

from orchestrator.messaging.memory import MemoryBus

__all__ = ["MemoryBus"]
