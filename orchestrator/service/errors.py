"""What a participant's author got wrong."""

from __future__ import annotations


class ServiceError(Exception):
    """A service does not fit its contract; the message names the service and the place."""
