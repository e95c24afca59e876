"""A handler of an event: nobody waits for an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from dsl.model import Delivery, EventModel
from dsl.values import Struct
from orchestrator.service.calls import Calls
from orchestrator.service.contract import simple
from orchestrator.service.errors import ServiceError
from orchestrator.service.failure import Failure
from orchestrator.service.handling import Handling
from orchestrator.service.parameters import INJECTED, Want, wants_of


@dataclass(frozen=True, slots=True)
class Reaction:
    """One event's handler; `wants` is what it is given besides the event."""

    service: str
    event: EventModel
    function: Callable[..., Awaitable[Any]]
    wants: tuple[Want, ...]

    @property
    def name(self) -> str:
        """The event's qualified name."""
        return self.event.name

    @property
    def group(self) -> str:
        """The consumer group of the service's reactions, and their consumer in the inbox."""
        return reaction_group(self.service)

    @property
    def at_most_once(self) -> bool:
        """Whether the event is handled once or not at all."""
        return self.event.delivery is Delivery.AT_MOST_ONCE

    @property
    def in_sequence(self) -> bool:
        """Whether the events of a key are numbered."""
        return self.event.sequence is not None

    @property
    def holds(self) -> bool:
        """Whether one that is a dead letter may hold its key. The numbers of a sequence hold those
        behind a missing one by themselves."""
        return not self.in_sequence and not self.at_most_once

    def number(self, value: Struct) -> int:
        """What numbers this event within its key."""
        assert self.event.sequence is not None, "an event without a sequence"
        number: int = value[self.event.sequence]
        return number

    async def __call__(self, handling: Handling, calls: Calls) -> None:
        """Raises ServiceError for an answer, because nobody would get it."""
        try:
            found = await calls(self.function, self.wants, handling, {})
        except Failure as failure:
            raise ServiceError(
                f"{self.where} raised `{failure}`: an event has no answer"
            ) from failure
        if found is not None:
            raise ServiceError(
                f"{self.where} returned `{type(found).__name__}`: an event has no answer, and "
                "other events are published by `context.publish`"
            )

    @property
    def where(self) -> str:
        """How an error's sentence begins."""
        return f"service `{self.service}`: the handler of `{simple(self.name)}`"


def make_reaction(service: str, event: EventModel, function: Any) -> Reaction:
    """Checks the function's shape: `async def f(event)`, and then `session` and `context` by these
    names, and what is provided, in any order. Raises ServiceError."""
    where = f"service `{service}`: the handler of `{simple(event.name)}`"
    return Reaction(service, event, function, wants_of(where, "event", function, INJECTED))


def reaction_group(service: str) -> str:
    """A group of its own: commands that wait do not hold up events, nor the other way round."""
    return f"{service}-events"
