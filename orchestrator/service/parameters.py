"""What a handler's function is given besides its message."""

from __future__ import annotations

import inspect
import typing
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.service.context import Context
from orchestrator.service.errors import ServiceError
from orchestrator.service.version import Version

_Parameter = inspect.Parameter
_MISSING = object()

#: What every handler may take, by its parameter's name or its type.
INJECTED: dict[str, Any] = {"session": AsyncSession, "context": Context}

#: And the handler of a command that is idempotent by version.
BY_VERSION = {**INJECTED, "version": Version}


@dataclass(frozen=True, slots=True)
class Want:
    """A parameter, and the type that tells what it is given."""

    parameter: str
    type: Any

    @property
    def ours(self) -> bool:
        """Whether it is made here, and not provided by the service's author."""
        return self.type in BY_VERSION.values()


def wants_of(where: str, what: str, function: Any, injected: dict[str, Any]) -> tuple[Want, ...]:
    """The parameters after the message that are to be filled: by the type that they are annotated
    with, or by their names in `injected`. `where` begins the sentence of an error, `what` is the
    message's kind. Raises ServiceError."""
    if not inspect.iscoroutinefunction(function):
        raise ServiceError(f"{where} must be an `async def` function: others would block it")
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind in (_Parameter.KEYWORD_ONLY, _Parameter.VAR_KEYWORD):
        raise ServiceError(f"{where} must take the {what} as its first parameter")
    hints = _hints(function)
    wants = []
    for parameter in parameters[1:]:
        type = _type(parameter, hints, injected)
        if type is not _MISSING:
            wants.append(Want(parameter.name, type))
        elif parameter.default is _Parameter.empty:
            names = [f"`{n}`" for n in injected]
            raise ServiceError(
                f"{where} has a parameter `{parameter.name}`: after the {what} it may take "
                f"{', '.join(names[:-1])} and {names[-1]}, and what `provide` was told of, "
                "annotated with its type"
            )
    return tuple(wants)


def _type(parameter: _Parameter, hints: dict[str, Any], injected: dict[str, Any]) -> Any:
    hint = hints.get(parameter.name, Any)
    if parameter.kind in (
        _Parameter.POSITIONAL_ONLY,
        _Parameter.VAR_POSITIONAL,
        _Parameter.VAR_KEYWORD,
    ):
        return _MISSING
    if hint is Any:
        return injected.get(parameter.name, _MISSING)
    if hint in injected.values():
        return hint
    if hint in BY_VERSION.values() or parameter.default is not _Parameter.empty:
        return _MISSING
    return hint


def _hints(function: Any) -> dict[str, Any]:
    """Types by parameter. Those that cannot be read (imported for the type checker alone) are
    left out."""
    names = function.__code__.co_freevars if hasattr(function, "__code__") else ()
    inside = {}
    for name, cell in zip(names, function.__closure__ or (), strict=True):
        try:
            inside[name] = cell.cell_contents
        except ValueError:
            continue  # not assigned yet
    try:
        return typing.get_type_hints(function, localns=inside)
    except (NameError, TypeError, AttributeError):
        return {}
