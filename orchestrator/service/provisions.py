"""What a service's author provides for handlers, by type."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.service.context import Context
from orchestrator.service.errors import ServiceError
from orchestrator.service.parameters import Want

if TYPE_CHECKING:
    from dishka import AsyncContainer


@dataclass(frozen=True, slots=True)
class _Provision:
    factory: Callable[..., Any]
    once: bool


class Provisions:
    """Factories by what they make; dishka works out who needs whom."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._found: dict[Any, _Provision] = {}

    def add(self, type: Any, factory: Callable[..., Any], once: bool) -> None:
        """The last one counts, so that a test can put its own in the place of another."""
        self._found[type] = _Provision(factory, once)

    def check(self, where: str, wants: Iterable[Want]) -> None:
        """Raises ServiceError for what nothing provides."""
        for want in wants:
            if not want.ours and want.type not in self._found:
                name = getattr(want.type, "__name__", want.type)
                hint = "a transaction's session is an `AsyncSession`; " if name == "Session" else ""
                raise ServiceError(
                    f"{where} takes `{want.parameter}: {name}`, which nothing provides: "
                    f"{hint}say `{self._service}.provide({name}, …)`"
                )

    def open(self) -> Provided:
        """Raises ServiceError when a factory needs what nothing provides."""
        if not self._found:
            return Provided(None)
        # Most services provide nothing, and the library takes a while to load.
        from dishka import Provider, Scope, make_async_container
        from dishka.exception_base import DishkaError

        provider = Provider()
        for type in (AsyncSession, Context):
            provider.from_context(provides=type, scope=Scope.REQUEST)
        try:
            for type, found in self._found.items():
                scope = Scope.APP if found.once else Scope.REQUEST
                provider.provide(found.factory, provides=type, scope=scope)
            return Provided(make_async_container(provider))
        except DishkaError as error:
            raise ServiceError(
                f"service `{self._service}` cannot provide what it was told to: {error}"
            ) from None


class Provided:
    """What is provided while a service runs; those made `once` live as long as it does."""

    def __init__(self, container: AsyncContainer | None) -> None:
        self._container = container

    def handling(
        self, session: AsyncSession, context: Context
    ) -> AbstractAsyncContextManager[AsyncContainer]:
        """For one handling: `get(type)` makes; what is not made `once` is closed at the end."""
        assert self._container is not None, "checked at the start"
        return self._container(context={AsyncSession: session, Context: context})

    async def close(self) -> None:
        """Closes what was made once."""
        if self._container is not None:
            await self._container.close()
