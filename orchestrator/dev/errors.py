"""What can go wrong with an embedded server, each in one sentence that a person can act on."""

from __future__ import annotations


class ServerError(Exception):
    """A server did not start or died, or its folder is taken; the text says what to do."""


class MissingError(ServerError):
    """Something that a server needs is not on this machine (Java, its jars, PostgreSQL)."""


class EarlyDeathError(ServerError):
    """A server's process ended before it answered. `log_tail` holds the last lines of its log."""

    def __init__(self, message: str, log_tail: str) -> None:
        super().__init__(message)
        self.log_tail = log_tail

    @property
    def port_was_taken(self) -> bool:
        """Whether the log says that a port was in use: then another port is worth a try."""
        text = self.log_tail.lower()
        return "address already in use" in text or "bindexception" in text
