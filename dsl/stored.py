"""What stored plans hold of the language, and so is read from text: by pydantic, which is loaded by
whoever asks for that. A check does not, and starts in half the time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


class Stored:
    """A frozen dataclass with slots. Read from text it is closed to unknown fields."""

    #: The names of its fields, which dataclasses set.
    __slots__: tuple[str, ...] = ()
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


class TaggedBy:
    """In a union's annotation: the field that tells which class of it is meant."""

    def __init__(self, tag: str) -> None:
        self.tag = tag

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        from pydantic import Field

        return handler(Annotated[source, Field(discriminator=self.tag)])


class AsText:
    """In an annotation: text in JSON, read by a function that takes the value itself as well and
    raises ValueError."""

    def __init__(self, read: Callable[[object], object]) -> None:
        self.read = read

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        from pydantic_core import core_schema as schema

        text = schema.plain_serializer_function_ser_schema(str, return_schema=schema.str_schema())
        return schema.no_info_plain_validator_function(self.read, serialization=text)
