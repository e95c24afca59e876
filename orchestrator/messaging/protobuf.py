"""Messages as Protobuf: each record one message type, its fields by their declared numbers."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError as ProtobufError
from google.protobuf.message import Message

from dsl.cel.errors import CelError
from orchestrator.messaging.codec import Types
from orchestrator.messaging.codec_error import DecodeError
from orchestrator.messaging.protobuf_shapes import Element, Shape, Shapes, Slot


class ProtobufFormat:
    """Protobuf, by message types made from declarations."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._shapes: dict[str, Shapes] = {}

    def encode(self, wire: Any, qualified: str) -> bytes:
        """A message's JSON wire form as Protobuf; equal values give equal bytes."""
        shapes = self._of(qualified)
        message = shapes.new()
        _fill(message, shapes.root, wire)
        return bytes(message.SerializeToString(deterministic=True))

    def decode(self, data: bytes, qualified: str) -> Any:
        """The JSON wire form of a message. Raises DecodeError."""
        shapes = self._of(qualified)
        message = shapes.new()
        try:
            message.ParseFromString(data)
            return _read(message, shapes.root)
        except (ProtobufError, CelError, UnicodeDecodeError, OverflowError, RecursionError):
            raise DecodeError("is not Protobuf of its declaration") from None

    def _of(self, qualified: str) -> Shapes:
        if qualified not in self._shapes:
            self._shapes[qualified] = Shapes(self._types, qualified)
        return self._shapes[qualified]


# --- to Protobuf


def _fill(message: Message, shape: Shape, wire: Any) -> None:
    """Puts a record's fields, or the one value of a wrapper."""
    for slot in shape.slots:
        value = wire if slot.name is None else wire.get(slot.name)
        if value is not None:
            _put(message, slot, value)
        elif slot.said_null and slot.name in wire:
            getattr(message, slot.field).SetInParent()


def _put(message: Message, slot: Slot, value: Any) -> None:
    element = slot.element
    match slot.many:
        case "list":
            target = getattr(message, slot.field)
            for item in value:
                if element.shape or element.fill:
                    _fill_element(target.add(), element, item)
                else:
                    target.append(element.write(item))
        case "map":
            target = getattr(message, slot.field)
            for key, item in value.items():
                if element.shape or element.fill:
                    _fill_element(target[key], element, item)
                else:
                    target[key] = element.write(item)
        case _ if element.shape or element.fill:
            inner = getattr(message, slot.field)
            inner.SetInParent()
            _fill_element(inner, element, value)
        case _:
            setattr(message, slot.field, element.write(value))


def _fill_element(message: Message, element: Element, value: Any) -> None:
    if element.fill:
        element.fill(message, value)
    elif element.shape:
        _fill(message, element.shape, value)


# --- from Protobuf


def _read(message: Message, shape: Shape) -> Any:
    """A record's fields, those that are absent left out; or the one value of a wrapper."""
    if shape.slots and shape.slots[0].name is None:
        return _get(message, shape.slots[0])
    return {
        slot.name: _get(message, slot)
        for slot in shape.slots
        if slot.many or message.HasField(slot.field)
    }


def _get(message: Message, slot: Slot) -> Any:
    element = slot.element
    if slot.many == "list":
        return [_element(item, element) for item in getattr(message, slot.field)]
    if slot.many == "map":
        return {key: _element(v, element) for key, v in getattr(message, slot.field).items()}
    if not message.HasField(slot.field):
        return None
    return _element(getattr(message, slot.field), element)


def _element(value: Any, element: Element) -> Any:
    return _read(value, element.shape) if element.shape else element.read(value)
