"""A user's mistakes and the world's failures, as one sentence and an exit status."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

import typer

P = ParamSpec("P")

#: Whose text is written for the user. By name: importing them would cost every command the clients
#: of servers that it does not talk to, and what was raised is imported anyway.
FOR_THE_USER = frozenset(
    {
        "orchestrator.cli.errors.CommandError",
        "orchestrator.deploy.deploy.DeployError",
        "orchestrator.dev.errors.ServerError",
        "orchestrator.diagrams.error.DiagramError",
        "orchestrator.messaging.bus.BusError",
        "orchestrator.runtime.connect.TemporalError",
        "orchestrator.runtime.functions.FunctionError",
        "orchestrator.runtime.instances.UnknownInstanceError",
        "orchestrator.runtime.running.UnansweredError",
        "orchestrator.runtime.running.UnknownInputError",
        "orchestrator.runtime.starts.AlreadyStartedError",
        "orchestrator.runtime.signature.InputError",
        "orchestrator.runtime.versions.UnknownSagaError",
        "orchestrator.runtime.views.RefusedError",
        "orchestrator.service.errors.ServiceError",
        "orchestrator.settings.SettingsError",
        "orchestrator.store.errors.StoreError",
        "orchestrator.store.gaps.SkipError",
        "orchestrator.telemetry.exporting.TelemetryError",
    }
)
_RPC = "temporalio.service.RPCError"


class CommandError(Exception):
    """What a command refuses; one sentence that names the thing and the way out."""


class InterruptedRunError(Exception):
    """Ctrl-C came before all was done that was asked for."""


def command(function: Callable[P, Coroutine[Any, Any, None] | None]) -> Callable[P, None]:
    """Makes a typer command of a function or a coroutine: known errors become one sentence on
    standard error and exit status 1, Ctrl-C exit status 130."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            work = function(*args, **kwargs)
            if work is not None:
                with contextlib.closing(work):  # where Ctrl-C comes before it begins
                    _complete(work)
        except KeyboardInterrupt:
            raise _leaving() from None
        except Exception as error:
            if _interrupted(error):
                raise _leaving() from None
            said = sentence(error)
            if said is None:
                raise
            typer.echo(f"error: {said}", err=True)
            raise typer.Exit(1) from None

    return run


def _leaving() -> typer.Exit:
    """The end by a Ctrl-C, which may come between the making of a coroutine and its beginning:
    that such a one was never awaited is no news then."""
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    return typer.Exit(130)


def _complete(work: Coroutine[Any, Any, None]) -> None:
    import asyncio

    try:
        asyncio.run(work)
    except asyncio.CancelledError:
        raise InterruptedRunError from None


def _interrupted(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(_interrupted(e) for e in error.exceptions)
    return isinstance(error, InterruptedRunError)


def sentence(error: BaseException) -> str | None:
    """The sentence of an error that is meant for the user; None for a bug of ours."""
    if isinstance(error, BaseExceptionGroup):
        return next((s for e in error.exceptions if (s := sentence(e))), None)
    names = {f"{c.__module__}.{c.__qualname__}" for c in type(error).__mro__}
    if names & FOR_THE_USER:
        return str(error)
    return f"Temporal answered with an error: {error}" if _RPC in names else None
