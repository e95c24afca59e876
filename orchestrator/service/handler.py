"""A handler function, and what it is to be given."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from dsl.model import CommandModel
from orchestrator.service.context import Context
from orchestrator.service.contract import simple
from orchestrator.service.errors import ServiceError
from orchestrator.service.failure import Failure
from orchestrator.service.message import Message

HandlerFunction = Callable[..., Awaitable[Message]]

_Parameter = inspect.Parameter
_INJECTED = ("session", "context")


@dataclass(frozen=True, slots=True)
class Handler:
    """One command's handler; `wants` are the names of what it is given besides the command."""

    service: str
    command: CommandModel
    function: HandlerFunction
    wants: tuple[str, ...]

    async def __call__(self, command: Message, session: AsyncSession, context: Context) -> Message:
        """The handler's reply. Raises Failure for a declared failure, ServiceError when it answers
        with what its contract does not know."""
        given = {"session": session, "context": context}
        try:
            reply = await self.function(command, **{name: given[name] for name in self.wants})
        except Failure as failure:
            self._check_failure(failure)
            raise
        self._check_reply(reply)
        return reply

    def _check_reply(self, reply: Any) -> None:
        name = getattr(type(reply), "__flow_type__", None)
        if name in self.command.replies:
            return
        hint = f"it replies {_listed(self.command.replies)}"
        if name in self.command.fails:
            hint = f"a failure is raised: `raise failures.{simple(name)}(…)`"
        raise ServiceError(
            f"service `{self.service}`: the handler of `{simple(self.command.name)}` returned "
            f"`{type(reply).__name__}`, {hint}"
        )

    def _check_failure(self, failure: Failure) -> None:
        if type(failure.message).__flow_type__ not in self.command.fails:
            raise ServiceError(
                f"service `{self.service}`: the handler of `{simple(self.command.name)}` raised "
                f"`{failure}`, which the command does not declare: it fails "
                f"{_listed(self.command.fails) or 'with nothing'}"
            )


def make_handler(service: str, command: CommandModel, function: Any) -> Handler:
    """Checks the function's shape: `async def f(command)`, and then `session` and `context` by
    these names, in any order. Raises ServiceError."""
    where = f"service `{service}`: the handler of `{simple(command.name)}`"
    if not inspect.iscoroutinefunction(function):
        raise ServiceError(f"{where} must be an `async def` function: others would block it")
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind in (_Parameter.KEYWORD_ONLY, _Parameter.VAR_KEYWORD):
        raise ServiceError(f"{where} must take the command as its first parameter")
    wants = []
    for parameter in parameters[1:]:
        if parameter.name in _INJECTED and parameter.kind is not _Parameter.POSITIONAL_ONLY:
            wants.append(parameter.name)
        elif parameter.default is _Parameter.empty:
            raise ServiceError(
                f"{where} has a parameter `{parameter.name}`: after the command it may take "
                "`session` and `context`"
            )
    return Handler(service, command, function, tuple(wants))


def _listed(names: tuple[str, ...]) -> str:
    return " or ".join(f"`{simple(name)}`" for name in names)
