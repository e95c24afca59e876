"""Which saga and which message the lines of a log are about."""

from __future__ import annotations

from contextlib import AbstractContextManager

from structlog.contextvars import bound_contextvars

from orchestrator.messaging.envelope import Envelope


def about(envelope: Envelope) -> AbstractContextManager[None]:
    """Whatever is logged inside of the block, a handler's own lines among it, says the message's id
    and its saga's."""
    saga = {} if envelope.correlation_id is None else {"saga": envelope.correlation_id}
    return bound_contextvars(message_id=envelope.id, **saga)
