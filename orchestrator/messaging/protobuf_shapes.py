"""Protobuf message types made from declarations.

Their names are ours alone and never leave the process: Protobuf's bytes hold numbers only. What
Protobuf cannot say directly is wrapped in a message with the one field 1: a list or a map inside
another one or where null is possible, a null inside either, and a null that means something else
than the field's default.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from google.protobuf import duration_pb2, timestamp_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from dsl.cel.instants import (
    format_duration,
    format_timestamp,
    parse_duration,
    parse_timestamp,
)
from dsl.fine import duration_of, nanoseconds, timestamp_of
from dsl.model import EnumModel, FieldModel
from dsl.types import ListOf, MapOf, Named, Optional, Scalar, Type
from orchestrator.messaging.codec import Types

_Kind = FieldDescriptorProto
_PACKAGE = "flow"
_SECOND = 10**9


def _same(value: Any) -> Any:
    return value


@dataclass(slots=True)
class Element:
    """A value in a field: a scalar by `write` and `read`, a well-known message by `fill` and
    `read`, one of ours by its `shape`."""

    kind: Any
    type_name: str = ""
    write: Callable[[Any], Any] = _same
    read: Callable[[Any], Any] = _same
    fill: Callable[[Any, Any], None] | None = None
    shape: Shape | None = None


@dataclass(slots=True)
class Slot:
    """A field of a message type: `name` in the JSON wire form, None for a wrapper's value.
    `said_null` tells that an absent one means the default, and an empty wrapper null."""

    name: str | None
    number: int
    element: Element
    many: Literal["", "list", "map"] = ""
    said_null: bool = False

    @property
    def field(self) -> str:
        """Its name in Protobuf, which clashes with nothing."""
        return f"f{self.number}"


@dataclass(slots=True)
class Shape:
    """A message type."""

    name: str
    slots: list[Slot] = field(default_factory=list)


class Shapes:
    """The message type of one record, and of all that it is made of."""

    def __init__(self, types: Types, qualified: str) -> None:
        self._types = types
        self._shapes: dict[str, Shape] = {}
        self._enums: dict[str, tuple[str, EnumModel]] = {}
        self.root = self._record(qualified)
        pool = DescriptorPool()
        for known in (timestamp_pb2, duration_pb2):
            pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
        pool.AddSerializedFile(self._file().SerializeToString())
        self.new: Callable[[], Message] = GetMessageClass(
            pool.FindMessageTypeByName(f"{_PACKAGE}.{self.root.name}")
        )

    # --- declarations to shapes

    def _record(self, qualified: str) -> Shape:
        if qualified not in self._shapes:
            shape = self._shapes[qualified] = Shape(f"M{len(self._shapes)}")
            shape.slots += [self._field(f) for f in self._types.record(qualified).fields]
        return self._shapes[qualified]

    def _field(self, model: FieldModel) -> Slot:
        assert model.number is not None, "the checker asks for numbers"
        if isinstance(model.type, Optional) and model.default is not None:
            wrapper = self._wrapper(model.type)
            return Slot(model.name, model.number, wrapper, said_null=True)
        return self._slot(model.name, model.number, model.type)

    def _slot(self, name: str | None, number: int, type: Type) -> Slot:
        match type:
            case ListOf(item):
                return Slot(name, number, self._element(item), "list")
            case MapOf(_, item):
                return Slot(name, number, self._element(item), "map")
            case Optional(ListOf() | MapOf() as of):
                return Slot(name, number, self._wrapper(of))
            case Optional(of):
                return Slot(name, number, self._element(of))
        return Slot(name, number, self._element(type))

    def _element(self, type: Type) -> Element:
        match type:
            case Scalar():
                return _SCALARS[type]
            case Named(name) if (enum := self._enum(name)) is not None:
                return enum
            case Named(name):
                return self._message(self._record(name))
        return self._wrapper(type)

    def _wrapper(self, type: Type) -> Element:
        key = f"wrapper {type}"
        if key not in self._shapes:
            shape = self._shapes[key] = Shape(f"M{len(self._shapes)}")
            shape.slots.append(self._slot(None, 1, type))
        return self._message(self._shapes[key])

    def _message(self, shape: Shape) -> Element:
        return Element(_Kind.TYPE_MESSAGE, f".{_PACKAGE}.{shape.name}", shape=shape)

    def _enum(self, name: str) -> Element | None:
        """An enum's element: 0 stands for nothing, the symbols count from 1."""
        try:
            model = self._types.enum(name)
        except KeyError:
            return None
        made, _ = self._enums.setdefault(name, (f"E{len(self._enums)}", model))
        symbols = model.symbols
        numbers = {symbol: n for n, symbol in enumerate(symbols, 1)}
        return Element(
            _Kind.TYPE_ENUM,
            f".{_PACKAGE}.{made}",
            write=numbers.__getitem__,
            # A symbol of a newer contract is passed on as its number, which its type refuses.
            read=lambda n: symbols[n - 1] if 0 < n <= len(symbols) else n,
        )

    # --- shapes to descriptors

    def _file(self) -> FileDescriptorProto:
        file = FileDescriptorProto(name="flow.proto", package=_PACKAGE, syntax="proto3")
        file.dependency.extend(m.DESCRIPTOR.name for m in (timestamp_pb2, duration_pb2))
        for name, model in self._enums.values():
            enum = file.enum_type.add(name=name)
            for number in range(len(model.symbols) + 1):
                enum.value.add(name=f"{name}_{number}", number=number)
        for shape in self._shapes.values():
            _describe(shape, file.message_type.add(name=shape.name))
        return file


def _describe(shape: Shape, message: DescriptorProto) -> None:
    for slot in shape.slots:
        made = message.field.add(name=slot.field, number=slot.number, label=_Kind.LABEL_OPTIONAL)
        if slot.many == "map":
            entry = message.nested_type.add(name=f"F{slot.number}Entry")
            entry.options.map_entry = True
            key = entry.field.add(name="key", number=1, label=_Kind.LABEL_OPTIONAL)
            key.type = _Kind.TYPE_STRING
            value = entry.field.add(name="value", number=2, label=_Kind.LABEL_OPTIONAL)
            _typed(value, slot.element)
            made.label, made.type = _Kind.LABEL_REPEATED, _Kind.TYPE_MESSAGE
            made.type_name = f".{_PACKAGE}.{shape.name}.{entry.name}"
            continue
        _typed(made, slot.element)
        if slot.many == "list":
            made.label = _Kind.LABEL_REPEATED
        elif slot.element.kind != _Kind.TYPE_MESSAGE:
            # Presence: what is absent is not the same as what is nothing.
            made.proto3_optional = True
            made.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{slot.field}")


def _typed(made: FieldDescriptorProto, element: Element) -> None:
    made.type = element.kind
    if element.type_name:
        made.type_name = element.type_name


# --- scalars


def _fill_timestamp(message: Any, text: str) -> None:
    message.seconds, message.nanos = divmod(nanoseconds(parse_timestamp(text)), _SECOND)


def _read_timestamp(message: Any) -> str:
    return format_timestamp(timestamp_of(message.seconds * _SECOND + message.nanos))


def _fill_duration(message: Any, text: str) -> None:
    nanos = nanoseconds(parse_duration(text))
    seconds, rest = divmod(abs(nanos), _SECOND)
    sign = -1 if nanos < 0 else 1
    message.seconds, message.nanos = sign * seconds, sign * rest


def _read_duration(message: Any) -> str:
    return format_duration(duration_of(message.seconds * _SECOND + message.nanos))


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


_SCALARS: dict[Scalar, Element] = {
    Scalar.STRING: Element(_Kind.TYPE_STRING),
    Scalar.INT: Element(_Kind.TYPE_INT64),
    Scalar.FLOAT: Element(_Kind.TYPE_DOUBLE),
    Scalar.BOOL: Element(_Kind.TYPE_BOOL),
    Scalar.DECIMAL: Element(_Kind.TYPE_STRING),
    Scalar.BYTES: Element(_Kind.TYPE_BYTES, write=base64.b64decode, read=_text),
    Scalar.UUID: Element(_Kind.TYPE_STRING),
    Scalar.DATE: Element(_Kind.TYPE_STRING),
    Scalar.TIMESTAMP: Element(
        _Kind.TYPE_MESSAGE,
        ".google.protobuf.Timestamp",
        read=_read_timestamp,
        fill=_fill_timestamp,
    ),
    Scalar.DURATION: Element(
        _Kind.TYPE_MESSAGE, ".google.protobuf.Duration", read=_read_duration, fill=_fill_duration
    ),
}
