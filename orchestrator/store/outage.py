"""What an error says when the store is away for a while."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.store.errors import StoreError

log = structlog.get_logger(__name__)

#: The store is away, or lets nobody in, and may do so later.
OUTAGES = (StoreError, SQLAlchemyError, OSError)


def store_away(what: str) -> Callable[[Exception], None]:
    """Bears a store that is away (`patience.outlast`); the log says what waits for it."""

    def bear(error: Exception) -> None:
        if not isinstance(error, OUTAGES):
            raise error
        log.warning(f"{what} waits for the store", error=type(error).__name__)

    return bear
