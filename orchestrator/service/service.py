"""A participant: its contract, its messages, its handlers."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable
from datetime import timedelta
from inspect import signature
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncSession

from dsl.model import Order, Program, wire_type
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.codec import JsonCodec
from orchestrator.messaging.payloads import Payloads
from orchestrator.service.contract import (
    find_command,
    find_event,
    find_service,
    read_program,
    simple,
)
from orchestrator.service.errors import ServiceError
from orchestrator.service.failure import failure_of
from orchestrator.service.handler import Handler, StaleAnswer, make_handler
from orchestrator.service.handling import Middleware
from orchestrator.service.health import Health
from orchestrator.service.models import Models
from orchestrator.service.namespace import Namespace
from orchestrator.service.once import freed_key
from orchestrator.service.provisions import Provisions
from orchestrator.service.reaction import Reaction, make_reaction, reaction_group
from orchestrator.store import business_keys, sequences
from orchestrator.store.sequences import Stream

F = TypeVar("F", bound=Callable[..., Any])
M = TypeVar("M", bound=Middleware)


class Service:
    """A participant in sagas, written against its contract.

    `flow` is a `.flow` file or a folder of them; a relative path is relative to the current
    directory, as everywhere in Python. Without it, the flows that stand beside the file in which
    the service is made. `metadata` are the participant's own tables, created at the
    start when missing. `remember` is how long a message is known again when it comes twice; it has
    to exceed the longest retry, those by hand included. `remember_keys` is the same for the keys of
    commands that are `idempotent by key`; without it, they are known forever. `gap` is how
    long an event with a `sequence` waits for one before it that has not come. `still` is how long a
    handler's transaction may stand still before PostgreSQL rolls it back; zero is without end.
    `program` stands in for `flow`, for tests.

        inventory = Service("inventory")
        messages, failures = inventory.messages, inventory.failures

        @inventory.handles("ReserveStock")
        async def reserve(command, session): ...
    """

    def __init__(
        self,
        name: str,
        flow: str | Path | None = None,
        *,
        program: Program | None = None,
        metadata: MetaData | None = None,
        remember: timedelta = timedelta(days=14),
        remember_keys: timedelta | None = None,
        gap: timedelta = timedelta(minutes=1),
        still: timedelta = timedelta(minutes=2),
    ) -> None:
        if program is None:
            program = read_program(name, flow if flow is not None else _folder_of_caller(name))
        self.module, self.model = find_service(program, name)
        self.name = simple(name)
        self.program = program
        self.metadata = metadata
        self.remember = remember
        self.remember_keys = remember_keys
        self.gap = gap
        self.still = still
        self.codec = JsonCodec(program)
        self.payloads = Payloads(program)
        self.models = Models(program)
        self.handlers: dict[str, Handler] = {}
        self.reactions: dict[str, Reaction] = {}
        self.provisions = Provisions(self.name)
        self.middlewares: list[Middleware] = []
        self.messages = Namespace(self.name, "message", self._message_names(), self.models.named)
        fails = {name for command in self.model.commands for name in command.fails}
        self.failures = Namespace(
            self.name,
            "declared failure",
            {simple(name): name for name in sorted(fails)},
            lambda qualified: failure_of(self.models.message(qualified)),
        )

    def handles(self, command: str, *, stale: StaleAnswer | None = None) -> Callable[[F], F]:
        """Registers `async def f(command)` as the handler; `session` (the transaction's
        AsyncSession) and `context` (`Context`) are given to parameters of these names or types,
        and what `provide` was told of by its type. It returns a reply or raises a declared
        failure. The handler of a command that is `idempotent by version` takes `version`
        (`Version`), and `stale(command, stale)` gives the reply or the declared failure for a
        version that is not the present one. Raises ServiceError for an unknown command, a second
        handler, or a function of another shape."""
        model = find_command(self.name, self.model, command)

        def register(function: F) -> F:
            if model.name in self.handlers:
                raise ServiceError(f"service `{self.name}` has two handlers for `{command}`")
            self.handlers[model.name] = make_handler(self.name, model, function, stale)
            return function

        return register

    def on(self, event: str) -> Callable[[F], F]:
        """Registers `async def f(event)` as the handler of an event of its own or of another
        service, `orders.OrderPlaced`; `session` and `context` as for commands. It returns nothing,
        and is tried again when it breaks. A service that is new gets what the topic still holds.
        Raises ServiceError for an unknown event, a second handler, a function of another shape,
        or an event with a `sequence` where the service's policy is `unordered`."""
        model = find_event(self.name, self.program, self.model, event)
        policy = self.model.policy
        if model.sequence and policy is not None and policy.order is Order.UNORDERED:
            raise ServiceError(
                f"service `{self.name}` cannot handle `{event}`: it has a `sequence`, and policy "
                f"`{simple(policy.name)}` retries `unordered`"
            )

        def register(function: F) -> F:
            if model.name in self.reactions:
                raise ServiceError(f"service `{self.name}` has two handlers for `{event}`")
            self.reactions[model.name] = make_reaction(self.name, model, function)
            return function

        return register

    def provide(self, type: Any, factory: Callable[..., Any], *, once: bool = False) -> None:
        """What handlers are given for parameters of a type: `factory()` makes it for each
        handling, inside of its transaction, or `once` while the service runs. A factory may be
        `async`, may take others of these types, an `AsyncSession` and a `Context` by annotated
        parameters, and may `yield` what it makes, to close it after that. A second one for a type
        takes the first one's place."""
        self.provisions.add(type, factory, once)

    def middleware(self, function: M) -> M:
        """Registers `async def f(handling, proceed)`, which stands around each handler, inside of
        the transaction: `await proceed()` goes on and gives the reply, which it returns. What it
        raises is as if the handler had. The first one registered is the outermost; deliveries
        whose answer is recorded reach none. Raises ServiceError for a function of another
        shape."""
        shape: Any = function
        if not inspect.iscoroutinefunction(shape) or len(signature(shape).parameters) != 2:
            raise ServiceError(
                f"service `{self.name}`: middleware is `async def f(handling, proceed)`"
            )
        self.middlewares.append(function)
        return function

    async def free(self, session: AsyncSession, command: str, **key: Any) -> bool:
        """Makes a business key of a command that is `idempotent by key` new again, when what was
        done under it is undone: `await inventory.free(session, "ReserveStock", order_id=…)`.
        Whether it was known. Raises ServiceError when the command has no such key."""
        model = find_command(self.name, self.model, command)
        return await business_keys.free(session, freed_key(self.name, model, key))

    async def skip(self, session: AsyncSession, event: str, key: str, to: int) -> None:
        """Says that what stands before number `to` of a key's events will not come: the sequence
        goes on with that one. For a person who looked at the dead letters: `await notices.skip(
        session, "carrier.Scanned", "p1", 4)`. Raises ServiceError for an event that is unknown or
        has no `sequence`."""
        model = find_event(self.name, self.program, self.model, event)
        if model.sequence is None:
            raise ServiceError(f"service `{self.name}`: `{event}` has no `sequence`")
        stream = Stream(reaction_group(self.name), wire_type(model.name), key)
        await sequences.participant.skip(session, stream, to)

    async def serve(
        self,
        bus: Bus,
        database_url: str,
        *,
        stop: asyncio.Event,
        concurrency: int = 16,
        drain: float = 20.0,
        health: Health | None = None,
    ) -> None:
        """Handles messages until `stop` is set; then fetches no more, gives those under way `drain`
        seconds, publishes what is in the outbox, commits and leaves. At most `concurrency`
        commands are handled at once, and as many events. `health` is told whether it is ready.
        Raises BusError, StoreError when it cannot start, ServiceError without a single handler or
        when a handler takes what nothing provides."""
        from orchestrator.service.runner import ServiceRunner

        runner = ServiceRunner(
            self, bus, database_url, concurrency=concurrency, drain=drain, health=health
        )
        async with runner:
            await runner.run(stop)

    def _message_names(self) -> dict[str, str]:
        """Its own messages first, then what its module and the others declare."""
        own = [c.name for c in self.model.commands] + [e.name for e in self.model.events]
        modules = self.program.modules
        ordered = [modules[self.module], *(m for n, m in modules.items() if n != self.module)]
        data = [r.name for m in ordered for r in m.records]
        data += [e.name for m in ordered for e in m.enums]
        found: dict[str, str] = {}
        for qualified in (*own, *self._replies(), *data):
            found.setdefault(simple(qualified), qualified)
        return found

    def _replies(self) -> list[str]:
        return [n for c in self.model.commands for n in (*c.replies, *c.fails)]


def _folder_of_caller(name: str) -> Path:
    """The folder of the file that makes a service."""
    file = sys._getframe(2).f_globals.get("__file__")
    if file is None:
        raise ServiceError(f"service `{name}` needs `flow`, the path of its contract")
    return Path(file).parent
