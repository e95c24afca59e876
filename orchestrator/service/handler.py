"""A handler function, and what it is to be given."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from dsl.model import CommandModel, Delivery
from orchestrator.service.calls import Calls
from orchestrator.service.contract import simple
from orchestrator.service.errors import ServiceError
from orchestrator.service.failure import Failure
from orchestrator.service.handling import Handling
from orchestrator.service.message import Message
from orchestrator.service.parameters import BY_VERSION, INJECTED, Want, wants_of
from orchestrator.service.version import Stale, Version

HandlerFunction = Callable[..., Awaitable[Message]]

#: What a command whose version is stale is answered with.
StaleAnswer = Callable[[Any, Stale], Message | Failure]


@dataclass(frozen=True, slots=True)
class Handler:
    """One command's handler; `wants` is what it is given besides the command, and
    `stale` answers when its version is no longer the present one."""

    service: str
    command: CommandModel
    function: HandlerFunction
    wants: tuple[Want, ...]
    stale: StaleAnswer | None = None

    @property
    def name(self) -> str:
        """The command's qualified name."""
        return self.command.name

    @property
    def at_most_once(self) -> bool:
        """Whether the command is handled once or not at all."""
        return self.command.delivery is Delivery.AT_MOST_ONCE

    @property
    def group(self) -> str:
        """The consumer group of the service's commands, and their consumer in the inbox."""
        return self.service

    async def __call__(self, handling: Handling, calls: Calls) -> Message:
        """The handler's reply. Raises Failure for a declared failure, Stale for a version that is
        none any longer, ServiceError when it answers with what its contract does not know."""
        version = self._version(handling)
        more = {} if version is None else {Version: version}
        try:
            reply = await calls(self.function, self.wants, handling, more)
        except Failure as failure:
            self._check_failure(failure)
            raise
        found = self._checked(reply)
        if version is not None and not version.asked:
            raise ServiceError(
                f"{self.where} replied without `version.update` or `version.expect`, though the "
                "command is `idempotent by version`"
            )
        return found

    def answer_stale(self, command: Message, stale: Stale) -> Message:
        """The reply to a command whose version is stale. Raises Failure, ServiceError."""
        assert self.stale is not None, "checked when the handler was made"
        try:
            answer = self.stale(command, stale)
        except Failure as raised:
            answer = raised
        if isinstance(answer, Failure):
            self._check_failure(answer)
            raise answer
        return self._checked(answer)

    def _version(self, handling: Handling) -> Version | None:
        if self.command.idempotency.by != "version":
            return None
        (field,) = self.command.idempotency.fields
        return Version(handling.session, getattr(handling.message, field))

    @property
    def where(self) -> str:
        """How an error's sentence begins."""
        return f"service `{self.service}`: the handler of `{simple(self.command.name)}`"

    def _checked(self, reply: Any) -> Message:
        name = getattr(type(reply), "__flow_type__", None)
        if name in self.command.replies:
            assert isinstance(reply, Message)
            return reply
        hint = f"it replies {_listed(self.command.replies)}"
        if name in self.command.fails:
            hint = f"a failure is raised: `raise failures.{simple(name)}(…)`"
        raise ServiceError(f"{self.where} returned `{type(reply).__name__}`, {hint}")

    def _check_failure(self, failure: Failure) -> None:
        if type(failure.message).__flow_type__ not in self.command.fails:
            raise ServiceError(
                f"{self.where} raised `{failure}`, which the command does not declare: it fails "
                f"{_listed(self.command.fails) or 'with nothing'}"
            )


def make_handler(
    service: str, command: CommandModel, function: Any, stale: StaleAnswer | None = None
) -> Handler:
    """Checks the function's shape: `async def f(command)`, and then `session`, `context` and, for
    a command that is idempotent by version, `version` by these names, and what is provided, in
    any order. Raises ServiceError."""
    where = f"service `{service}`: the handler of `{simple(command.name)}`"
    injected = BY_VERSION if command.idempotency.by == "version" else INJECTED
    wants = wants_of(where, "command", function, injected)
    _check_version(where, command, wants, stale)
    return Handler(service, command, function, wants, stale)


def _check_version(
    where: str, command: CommandModel, wants: tuple[Want, ...], stale: StaleAnswer | None
) -> None:
    """A strategy that is declared has to be kept, or the service does not come to life."""
    name = simple(command.name)
    if command.idempotency.by != "version":
        if stale is not None:
            raise ServiceError(f"{where} has `stale`, and `{name}` is not `idempotent by version`")
        return
    (field,) = command.idempotency.fields
    declared = f"`{name}` is `idempotent by version {field}`"
    if all(want.type is not Version for want in wants):
        raise ServiceError(
            f"{where} must take `version`, whose `update` compares versions: {declared}"
        )
    if stale is None:
        raise ServiceError(
            f"{where} must say what a stale version is answered with, as "
            f'`handles("{name}", stale=lambda command, stale: …)`: {declared}'
        )
    if inspect.iscoroutinefunction(stale):
        raise ServiceError(f"{where} has an `async` function as `stale`: it must be a plain one")


def _listed(names: tuple[str, ...]) -> str:
    return " or ".join(f"`{simple(name)}`" for name in names)
