"""Pydantic classes from declarations, and values of one as values of the other."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ForwardRef
from uuid import UUID

from pydantic import AwareDatetime, Field, create_model

from dsl.cel.errors import CelError
from dsl.cel.evaluate import compile_node
from dsl.fine import coarse
from dsl.model import EnumModel, FieldModel, RecordModel
from dsl.types import ListOf, MapOf, Named, Optional, Scalar, Type
from dsl.values import Struct
from orchestrator.messaging.codec import Types
from orchestrator.service.contract import simple
from orchestrator.service.errors import ServiceError
from orchestrator.service.message import Message, Rule

_SCALARS: dict[Scalar, Any] = {
    Scalar.STRING: str,
    Scalar.INT: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)],
    Scalar.FLOAT: float,
    Scalar.BOOL: bool,
    Scalar.DECIMAL: Decimal,
    Scalar.BYTES: bytes,
    Scalar.UUID: Annotated[UUID, Field(strict=False)],
    Scalar.DATE: date,
    Scalar.TIMESTAMP: AwareDatetime,
    Scalar.DURATION: timedelta,
    Scalar.ANY: Any,
    Scalar.NULL: None,
}


class Models:
    """The classes of a program's records and enums, made when first asked for."""

    def __init__(self, program: Types) -> None:
        self._program = program
        self._classes: dict[str, Any] = {}
        self._making: set[str] = set()

    def message(self, qualified: str) -> type[Message]:
        """The class of a record or message. Raises KeyError."""
        found: type[Message] = self.named(qualified)
        return found

    def named(self, qualified: str) -> Any:
        """The class of a record, message or enum. Raises KeyError."""
        if qualified not in self._classes:
            try:
                record = self._program.record(qualified)
            except KeyError:
                self._classes[qualified] = _enum(self._program.enum(qualified))
            else:
                self._classes[qualified] = self._record(record)
        return self._classes[qualified]

    def to_model(self, value: Any) -> Any:
        """A run-time value (`Struct`, list, map, scalar) as its class has it, times to Python's
        microsecond; the value was checked when it was decoded."""
        if isinstance(value, Struct):
            model = self.message(value.type)
            fields = self._program.record(value.type).fields
            return model.model_construct(
                **{f.name: self.of_type(value[f.name], f.type) for f in fields}
            )
        return coarse(value)

    def of_type(self, value: Any, type: Type) -> Any:
        """A run-time value of a type as a participant's code has it."""
        match type:
            case Optional(of):
                return None if value is None else self.of_type(value, of)
            case ListOf(item):
                return [self.of_type(v, item) for v in value]
            case MapOf(_, item):
                return {k: self.of_type(v, item) for k, v in value.items()}
            case Named(name) if not isinstance(value, Struct):
                return self.named(name)(value)
        return self.to_model(value)

    def _record(self, record: RecordModel) -> type[Message]:
        self._making.add(record.name)
        fields: dict[str, Any] = {f.name: self._field(f) for f in record.fields}
        with warnings.catch_warnings():
            # A field may be called `copy` or `json`: that of the base class is hidden, then.
            warnings.simplefilter("ignore")
            made = create_model(
                simple(record.name),
                __base__=Message,
                __module__=record.name.rsplit(".", 1)[0],
                __doc__=record.doc or None,
                **fields,
            )
        made.__flow_type__ = record.name
        made.__rules__ = tuple(_rule(f) for f in record.fields if f.constraint is not None)
        self._classes[record.name] = made
        self._making.discard(record.name)
        if not self._making:
            names = {_identifier(n): c for n, c in self._classes.items()}
            for each in self._classes.values():
                if isinstance(each, type) and issubclass(each, Message):
                    each.model_rebuild(_types_namespace=names)
        return made

    def _field(self, field: FieldModel) -> tuple[Any, Any]:
        options: dict[str, Any] = {"description": field.doc or None}
        if field.default is not None:
            options["default_factory"] = self._default(field)
        elif isinstance(field.type, Optional):
            options["default"] = None
        return self._python(field.type), Field(**options)

    def _default(self, field: FieldModel) -> Callable[[], Any]:
        assert field.default is not None
        compute = compile_node(field.default)
        return lambda: self.of_type(compute({}), field.type)

    def _python(self, type: Type) -> Any:
        match type:
            case Optional(of):
                return self._python(of) | None
            case ListOf(item):
                return list[self._python(item)]  # type: ignore[misc]
            case MapOf(_, item):
                return dict[str, self._python(item)]  # type: ignore[misc]
            case Named(name):
                if name in self._making:
                    return Annotated[ForwardRef(_identifier(name)), Field()]
                found = self.named(name)
                # An enum's symbol may be given as text.
                return (
                    found if issubclass(found, Message) else Annotated[found, Field(strict=False)]
                )
            case Scalar():
                return _SCALARS[type]
        raise ServiceError(f"`{type}` cannot be a field's type")


def to_value(found: Any) -> Any:
    """A message (or a part of one) as the run-time value that is encoded."""
    if isinstance(found, Message):
        return Struct(
            type(found).__flow_type__,
            {name: to_value(getattr(found, name)) for name in type(found).model_fields},
        )
    if isinstance(found, list):
        return [to_value(item) for item in found]
    if isinstance(found, dict):
        return {key: to_value(item) for key, item in found.items()}
    return found.value if isinstance(found, StrEnum) else found


def _rule(field: FieldModel) -> Rule:
    assert field.constraint is not None
    compute = compile_node(field.constraint)
    text, name = field.constraint_text or "its rule", field.name

    def check(message: Message) -> str | None:
        values = to_value(message)
        if values[name] is None:
            return None
        try:
            holds = compute(values)
        except CelError as error:
            return f"`{type(message).__name__}.{name}`: breaks its rule `{text}`: {error}"
        return (
            None if holds is True else f"`{type(message).__name__}.{name}`: must satisfy `{text}`"
        )

    return check


def _identifier(qualified: str) -> str:
    return qualified.replace(".", "__")


def _enum(model: EnumModel) -> type[StrEnum]:
    made = StrEnum(simple(model.name), {s: s for s in model.symbols})  # type: ignore[misc]
    made.__doc__ = model.doc or None
    return made
