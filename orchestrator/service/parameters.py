"""What a handler's function is given besides its message."""

from __future__ import annotations

import inspect
from typing import Any

from orchestrator.service.errors import ServiceError

_Parameter = inspect.Parameter

#: What every handler may take, by name.
INJECTED = ("session", "context")


def wants_of(where: str, what: str, function: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    """The parameters after the message that are to be filled, all of them among `names`. `where`
    begins the sentence of an error, `what` is the message's kind. Raises ServiceError."""
    if not inspect.iscoroutinefunction(function):
        raise ServiceError(f"{where} must be an `async def` function: others would block it")
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind in (_Parameter.KEYWORD_ONLY, _Parameter.VAR_KEYWORD):
        raise ServiceError(f"{where} must take the {what} as its first parameter")
    wants = []
    for parameter in parameters[1:]:
        if parameter.name in names and parameter.kind is not _Parameter.POSITIONAL_ONLY:
            wants.append(parameter.name)
        elif parameter.default is _Parameter.empty:
            listed = ", ".join(f"`{n}`" for n in names[:-1])
            raise ServiceError(
                f"{where} has a parameter `{parameter.name}`: after the {what} it may take "
                f"{listed} and `{names[-1]}`"
            )
    return tuple(wants)
