"""One message being handled, as middleware sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.messaging.envelope import Envelope
from orchestrator.service.context import Context
from orchestrator.service.message import Message


@dataclass(frozen=True, slots=True)
class Handling:
    """The message and its envelope, the transaction's session, and the context that the handler is
    given. Unlike that, the envelope is this delivery's."""

    message: Message
    envelope: Envelope
    session: AsyncSession
    context: Context


#: Goes on to the next middleware, or the handler; what it gives is the handler's reply, None for
#: an event.
Proceed = Callable[[], Awaitable[Any]]

Middleware = Callable[[Handling, Proceed], Awaitable[Any]]
