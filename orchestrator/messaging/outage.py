"""What an error says when the bus is away for a while."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from orchestrator.messaging.bus import AwayError

log = structlog.get_logger(__name__)


def bus_away(what: str, tell: Callable[[str], None] | None = None) -> Callable[[Exception], None]:
    """Bears a bus that is away (`patience.outlast`); the log says what waits for it, and `tell` is
    told why."""

    def bear(error: Exception) -> None:
        if not isinstance(error, AwayError):
            raise error
        log.warning(f"{what} waits, trying again", error=str(error))
        if tell is not None:
            tell(str(error))

    return bear
