"""Declared failures as exceptions."""

from __future__ import annotations

from typing import Any, ClassVar

from orchestrator.service.message import Message


class Failure(Exception):
    """What a handler raises to answer with a declared failure. Not an accident: nothing is
    retried, and the handler's own writes are rolled back."""

    message_class: ClassVar[type[Message]]

    def __init__(self, **fields: Any) -> None:
        """Raises ServiceError for wrong fields."""
        self.message = self.message_class(**fields)
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message_class.__name__


def failure_of(message_class: type[Message]) -> type[Failure]:
    """The exception that stands for a failure's message."""
    namespace = {
        "message_class": message_class,
        "__doc__": message_class.__doc__,
        "__module__": message_class.__module__,
    }
    return type(message_class.__name__, (Failure,), namespace)
