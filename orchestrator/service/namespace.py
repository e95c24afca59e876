"""`inventory.messages`, `inventory.failures`: generated classes by their simple names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.service.errors import ServiceError


class Namespace:
    """Names looked up as attributes; an unknown one is an error that lists those there are."""

    def __init__(
        self, service: str, kind: str, names: Mapping[str, str], make: Callable[[str], Any]
    ) -> None:
        self._service = service
        self._kind = kind
        self._names = names
        self._make = make

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        qualified = self._names.get(name)
        if qualified is None:
            known = ", ".join(f"`{n}`" for n in self._names) or "none"
            # Not an AttributeError: `hasattr` is not how a contract is asked.
            raise ServiceError(
                f"service `{self._service}` has no {self._kind} `{name}`: it has {known}"
            )
        made = self._make(qualified)
        setattr(self, name, made)
        return made

    def __dir__(self) -> list[str]:
        return list(self._names)
