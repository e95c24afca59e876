"""What the author of a participant uses: `Service`, its messages, its failures."""

from orchestrator.service.context import Context
from orchestrator.service.errors import ServiceError
from orchestrator.service.failure import Failure
from orchestrator.service.handling import Handling, Proceed
from orchestrator.service.health import Health
from orchestrator.service.message import Message
from orchestrator.service.service import Service
from orchestrator.service.version import Stale, Version

__all__ = [
    "Context",
    "Failure",
    "Handling",
    "Health",
    "Message",
    "Proceed",
    "Service",
    "ServiceError",
    "Stale",
    "Version",
]
