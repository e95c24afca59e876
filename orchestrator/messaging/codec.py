"""Typed payloads as JSON: one pair of closures for each type, compiled once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Protocol

from dsl.model import EnumModel, RecordModel
from dsl.types import ListOf, MapOf, Named, OneOf, Optional, Scalar, Type
from dsl.values import Struct
from orchestrator.messaging.codec_error import CodecError, DecodeError, EncodeError, shown
from orchestrator.messaging.record_codec import compile_decoder, compile_encoder
from orchestrator.messaging.scalars import FROM_WIRE, TO_WIRE, Convert

__all__ = [
    "CodecError",
    "DecodeError",
    "EncodeError",
    "JsonCodec",
    "Types",
    "read_json",
    "write_json",
]


class Types(Protocol):
    """Where declarations are looked up by qualified name; `dsl.model.Program` is one."""

    def record(self, name: str) -> RecordModel:
        """Raises KeyError."""

    def enum(self, name: str) -> EnumModel:
        """Raises KeyError."""


class JsonCodec:
    """Values of declared types to JSON and back.

    int is a JSON number without a fraction (64 bits), float any finite number, decimal, uuid,
    date, timestamp (RFC 3339, UTC), duration (`90s`) and bytes (base64) are strings, an enum is
    its symbol, a record an object, an absent optional is left out. Fields that are not declared
    are ignored when reading, so that a newer sender is understood.
    """

    def __init__(self, types: Types) -> None:
        self._types = types
        self._encoders: dict[Type, Convert] = {scalar: TO_WIRE[scalar] for scalar in Scalar}
        self._decoders: dict[Type, Convert] = {scalar: FROM_WIRE[scalar] for scalar in Scalar}

    def encode(self, value: Mapping[str, Any], qualified: str) -> bytes:
        """A record or message as UTF-8 JSON. Raises EncodeError, KeyError for an unknown type."""
        return write_json(self.encoder(Named(qualified))(value))

    def decode(self, data: bytes, qualified: str) -> Struct:
        """The record or message in UTF-8 JSON. Raises DecodeError, KeyError for an unknown type."""
        decoder = self.decoder(Named(qualified))
        decoded: Struct = decoder(read_json(data))
        return decoded

    def to_wire(self, value: Any, type: Type) -> Any:
        """A value as what `json` writes. Raises EncodeError."""
        return self.encoder(type)(value)

    def from_wire(self, value: Any, type: Type) -> Any:
        """The value of what `json` read. Raises DecodeError."""
        return self.decoder(type)(value)

    def key(self, value: Mapping[str, Any], qualified: str, field: str) -> str:
        """A message's key as its record carries it: the field's wire form, without quotes when
        that is a string. All senders must agree on it, or one key has two partitions."""
        wire = self.encoder(self._field_type(qualified, field))(value[field])
        return wire if isinstance(wire, str) else _dump(wire)

    def encoder(self, type: Type) -> Convert:
        """The closure behind `to_wire`, for callers that keep it."""
        found = self._encoders.get(type)
        if found is None:
            found = self._encoders[type] = self._compile_encoder(type)
        return found

    def decoder(self, type: Type) -> Convert:
        """The closure behind `from_wire`, for callers that keep it."""
        found = self._decoders.get(type)
        if found is None:
            found = self._decoders[type] = self._compile_decoder(type)
        return found

    def _compile_encoder(self, type: Type) -> Convert:
        match type:
            case Optional(of):
                inner = self.encoder(of)
                return lambda value: None if value is None else inner(value)
            case ListOf(item):
                return _list(self.encoder(item), EncodeError)
            case MapOf(_, item):
                return _map(self.encoder(item), EncodeError)
            case Named(name):
                model = self._declared(name)
                if isinstance(model, EnumModel):
                    return _enum(model, EncodeError)
                return compile_encoder(model, self.encoder)
        return self._refuse_union(type)

    def _compile_decoder(self, type: Type) -> Convert:
        match type:
            case Optional(of):
                inner = self.decoder(of)
                return lambda value: None if value is None else inner(value)
            case ListOf(item):
                return _list(self.decoder(item), DecodeError)
            case MapOf(_, item):
                return _map(self.decoder(item), DecodeError)
            case Named(name):
                model = self._declared(name)
                if isinstance(model, EnumModel):
                    return _enum(model, DecodeError)
                return compile_decoder(model, self.decoder)
        return self._refuse_union(type)

    def _field_type(self, qualified: str, field: str) -> Type:
        return next(f.type for f in self._types.record(qualified).fields if f.name == field)

    def _declared(self, name: str) -> RecordModel | EnumModel:
        try:
            return self._types.record(name)
        except KeyError:
            return self._types.enum(name)

    def _refuse_union(self, type: OneOf | Scalar) -> NoReturn:
        raise TypeError(f"{type} has no wire form: the envelope's type tells which message it is")


def write_json(wire: Any) -> bytes:
    """What `to_wire` gave, as UTF-8 JSON. Raises EncodeError."""
    try:
        return _dump(wire).encode()
    except UnicodeEncodeError:
        raise EncodeError("holds text with lone surrogates") from None


def read_json(data: bytes) -> Any:
    """UTF-8 JSON as what `from_wire` reads. Raises DecodeError."""
    try:
        return json.loads(data.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"is not JSON ({_reason(error)})") from None


def _list(inner: Convert, error: type[CodecError]) -> Convert:
    def convert(value: Any) -> list[Any]:
        if type(value) is not list:
            raise error(f"must be a list, not {shown(value)}")
        try:
            return [inner(item) for item in value]
        except CodecError:
            # Found again with its index: the way without errors should not pay for counting.
            for index, item in enumerate(value):
                _located(inner, item, f"[{index}]")
            raise

    return convert


def _map(inner: Convert, error: type[CodecError]) -> Convert:
    def convert(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or isinstance(value, Struct):
            raise error(f"must be a map, not {shown(value)}")
        converted = {}
        for key, item in value.items():
            if type(key) is not str:
                raise error(f"must have strings as keys, not {shown(key)}")
            try:
                converted[key] = inner(item)
            except CodecError as wrong:
                raise wrong.under(f"[{shown(key)}]") from None
        return converted

    return convert


def _located(convert: Convert, value: Any, step: str) -> None:
    try:
        convert(value)
    except CodecError as wrong:
        raise wrong.under(step) from None


def _enum(model: EnumModel, error: type[CodecError]) -> Convert:
    symbols = dict.fromkeys(model.symbols)
    names = ", ".join(f"`{symbol}`" for symbol in model.symbols)

    def convert(value: Any) -> str:
        if not isinstance(value, str) or value not in symbols:
            raise error(f"must be one of {names}, not {shown(value)}")
        return str(value)

    return convert


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:80]


_dump: Callable[[Any], str] = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":")
).encode
