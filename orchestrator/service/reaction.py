"""A handler of an event: nobody waits for an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from dsl.model import EventModel
from orchestrator.service.context import Context
from orchestrator.service.contract import simple
from orchestrator.service.errors import ServiceError
from orchestrator.service.failure import Failure
from orchestrator.service.message import Message
from orchestrator.service.parameters import INJECTED, wants_of


@dataclass(frozen=True, slots=True)
class Reaction:
    """One event's handler; `wants` are the names of what it is given besides the event."""

    service: str
    event: EventModel
    function: Callable[..., Awaitable[Any]]
    wants: tuple[str, ...]

    @property
    def name(self) -> str:
        """The event's qualified name."""
        return self.event.name

    @property
    def group(self) -> str:
        """The consumer group of the service's reactions, and their consumer in the inbox."""
        return reaction_group(self.service)

    async def __call__(self, event: Message, session: AsyncSession, context: Context) -> None:
        """Raises ServiceError for an answer, because nobody would get it."""
        given: dict[str, Any] = {"session": session, "context": context}
        where = f"service `{self.service}`: the handler of `{simple(self.name)}`"
        try:
            found = await self.function(event, **{name: given[name] for name in self.wants})
        except Failure as failure:
            raise ServiceError(f"{where} raised `{failure}`: an event has no answer") from failure
        if found is not None:
            raise ServiceError(
                f"{where} returned `{type(found).__name__}`: an event has no answer, and other "
                "events are published by `context.publish`"
            )


def make_reaction(service: str, event: EventModel, function: Any) -> Reaction:
    """Checks the function's shape: `async def f(event)`, and then `session` and `context` by these
    names, in any order. Raises ServiceError."""
    where = f"service `{service}`: the handler of `{simple(event.name)}`"
    return Reaction(service, event, function, wants_of(where, "event", function, INJECTED))


def reaction_group(service: str) -> str:
    """A group of its own: commands that wait do not hold up events, nor the other way round."""
    return f"{service}-events"
