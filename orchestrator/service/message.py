"""The base of the generated message classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from orchestrator.service.errors import ServiceError

Rule = Callable[["Message"], str | None]


class Message(BaseModel):
    """A record or message as a participant sees it. Immutable; its values are checked when it is
    made, without conversions but for what is written as text (a UUID, an enum's symbol)."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, protected_namespaces=(), allow_inf_nan=False
    )

    #: The qualified name of its declaration.
    __flow_type__: ClassVar[str] = ""
    #: The constraints of its fields; each gives a sentence when it does not hold.
    __rules__: ClassVar[tuple[Rule, ...]] = ()

    def __init__(self, /, **fields: Any) -> None:
        """Raises ServiceError naming the message and the wrong fields."""
        try:
            super().__init__(**fields)
        except ValidationError as error:
            wrong = "; ".join(_sentence(type(self).__name__, e) for e in error.errors())
            raise ServiceError(wrong) from None
        for rule in self.__rules__:
            if broken := rule(self):
                raise ServiceError(broken)


def _sentence(name: str, error: Any) -> str:
    path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error["loc"])
    message: str = error["msg"]
    return f"`{name}{path}`: {message[:1].lower()}{message[1:]}"
