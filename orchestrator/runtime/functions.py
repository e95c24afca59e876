"""The Python functions that flows call: found, and run as activities of a worker."""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import inspect
import random
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from dsl.model import ActivityModel
from dsl.types import NULL
from orchestrator.compile.plan import Plan
from orchestrator.messaging.codec import CodecError, JsonCodec
from orchestrator.runtime.wire import INVALID_RESULT, Invocation
from orchestrator.service.models import Models, to_value


class FunctionError(Exception):
    """A function that a flow names and that cannot be called; one sentence."""


def make_importable(folders: Iterable[Path]) -> None:
    """Lets Python look for modules in these folders too, after all others: those that the flows
    stand in, as for the services beside them."""
    for folder in folders:
        if folder.is_dir() and (path := str(folder.absolute())) not in sys.path:
            sys.path.append(path)


def find_function(declared: ActivityModel) -> Callable[..., Any]:
    """The function of an activity. Raises FunctionError when it cannot be imported, or does not
    take the parameters that the flow declares."""
    name = declared.name.rpartition(".")[2]
    module, _, path = declared.function.partition(":")
    importlib.invalidate_caches()  # it may have been written since the last look
    try:
        found: Any = importlib.import_module(module)
    except (Exception, SystemExit) as error:
        # The error is the imported code's own; the user's next step is to look at it there.
        what = str(error) or type(error).__name__
        raise FunctionError(f"activity `{name}`: cannot import `{module}`: {what}") from None
    for part in path.split("."):
        if not hasattr(found, part):
            raise FunctionError(f"activity `{name}`: `{module}` has no `{path}`")
        found = getattr(found, part)
    _accepts(name, declared, found)
    function: Callable[..., Any] = found
    return function


def _accepts(name: str, declared: ActivityModel, found: Any) -> None:
    if not callable(found):
        raise FunctionError(f"activity `{name}`: `{declared.function}` is not a function")
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):
        return  # written in C: what it takes shows when it is called
    try:
        signature.bind(**{p.name: None for p in declared.parameters})
    except TypeError as error:
        raise FunctionError(f"activity `{name}`: `{declared.function}`: {error}") from None


class Functions:
    """A plan's functions as activities; what is not async runs on `threads`. Raises
    FunctionError."""

    def __init__(self, plan: Plan, threads: Executor) -> None:
        self._codec = JsonCodec(plan)
        self._models = Models(plan)
        self._threads = threads
        self._found = [(a, find_function(a)) for a in plan.activities.values()]

    def all(self) -> list[Callable[..., Any]]:
        """What a worker registers; an activity's type is its qualified name."""
        return [self._defined(declared, function) for declared, function in self._found]

    def _defined(self, declared: ActivityModel, function: Callable[..., Any]) -> Callable[..., Any]:
        async def run(given: Invocation) -> Any:
            if activity.info().attempt > 1 and given.jitter:
                await asyncio.sleep(random.uniform(0, given.jitter))
            return self._result(declared, await self._call(declared, function, given))

        return activity.defn(name=declared.name)(run)

    async def _call(
        self, declared: ActivityModel, function: Callable[..., Any], given: Invocation
    ) -> Any:
        arguments = {
            p.name: self._models.of_type(
                self._codec.from_wire(given.arguments.get(p.name), p.type), p.type
            )
            for p in declared.parameters
        }
        try:
            if inspect.iscoroutinefunction(function):
                return await function(**arguments)
            # In a copy of the context, so that `activity.info()` tells the thread where it is.
            call = partial(contextvars.copy_context().run, partial(function, **arguments))
            found = await asyncio.get_running_loop().run_in_executor(self._threads, call)
            return await found if inspect.isawaitable(found) else found
        except ApplicationError:
            raise
        except Exception as error:
            said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise ApplicationError(said, type=type(error).__name__) from error

    def _result(self, declared: ActivityModel, found: Any) -> Any:
        """The result in wire form. Another attempt would not give it another type."""
        wanted = declared.result if declared.result is not None else NULL
        try:
            return None if wanted is NULL else self._codec.to_wire(to_value(found), wanted)
        except CodecError as error:
            said = f"`{declared.function}` gave what is no `{wanted}`: {error}"
            raise ApplicationError(said, type=INVALID_RESULT, non_retryable=True) from None
