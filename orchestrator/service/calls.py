"""Calls a handler's function: inside of the middleware, with what it wants."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.service.context import Context
from orchestrator.service.handling import Handling, Middleware, Proceed
from orchestrator.service.parameters import Want
from orchestrator.service.provisions import Provided


class Calls:
    """Of the middleware the first is the outermost."""

    def __init__(self, middleware: Sequence[Middleware], provided: Provided) -> None:
        self._middleware = tuple(middleware)
        self._provided = provided

    async def __call__(
        self,
        function: Callable[..., Awaitable[Any]],
        wants: tuple[Want, ...],
        handling: Handling,
        more: Mapping[Any, Any],
    ) -> Any:
        """What the function gives, or a middleware in its place; `more` is given besides session
        and context, by type. Raises what they raise."""
        given = {AsyncSession: handling.session, Context: handling.context, **more}
        proceed: Proceed = partial(self._call, function, wants, handling, given)
        for middleware in reversed(self._middleware):
            proceed = partial(middleware, handling, proceed)
        return await proceed()

    async def _call(
        self,
        function: Callable[..., Awaitable[Any]],
        wants: tuple[Want, ...],
        handling: Handling,
        given: Mapping[Any, Any],
    ) -> Any:
        arguments = {w.parameter: given[w.type] for w in wants if w.ours}
        others = [w for w in wants if not w.ours]
        if not others:
            return await function(handling.message, **arguments)
        async with self._provided.handling(handling.session, handling.context) as made:
            for want in others:
                arguments[want.parameter] = await made.get(want.type)
            return await function(handling.message, **arguments)
