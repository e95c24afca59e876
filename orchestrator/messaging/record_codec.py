"""A record's fields to a JSON object and back: defaults, optionals, constraints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dsl.cel.errors import CelError
from dsl.cel.evaluate import compile_node
from dsl.cel.nodes import Node
from dsl.model import FieldModel, RecordModel
from dsl.types import Optional, Type
from dsl.values import Struct
from orchestrator.messaging.codec_error import CodecError, DecodeError, EncodeError, shown
from orchestrator.messaging.scalars import Convert

_MISSING = object()

#: The converter of a type; asked at the first value, because a record may hold itself. The first
#: values may come in several threads at once: they see all fields or none.
Lookup = Callable[[Type], Convert]


def compile_encoder(model: RecordModel, lookup: Lookup) -> Convert:
    """Struct (or a dict with the record's fields) to a dict that `json` writes."""
    fields: list[tuple[str, Convert, bool]] = []
    checks = tuple(_check(f, EncodeError) for f in model.fields if f.constraint is not None)

    def encode(value: Any) -> dict[str, Any]:
        if not fields:
            fields[:] = [(f.name, lookup(f.type), _may_be_left_out(f)) for f in model.fields]
        if not isinstance(value, dict):
            raise EncodeError(f"must be {model.name}, not {type(value).__name__}")
        if isinstance(value, Struct) and value.type != model.name:
            raise EncodeError(f"must be {model.name}, not {value.type}")
        wire = {}
        for name, convert, optional in fields:
            found = value.get(name, _MISSING)
            if optional and (found is None or found is _MISSING):
                continue
            if found is _MISSING:
                raise EncodeError("is missing").under(name)
            try:
                wire[name] = convert(found)
            except CodecError as wrong:
                raise wrong.under(name) from None
        for check in checks:
            check(value)
        return wire

    return encode


def compile_decoder(model: RecordModel, lookup: Lookup) -> Convert:
    """A dict that `json` read to a Struct with every declared field."""
    fields: list[tuple[str, Convert, Convert | None]] = []
    checks = tuple(_check(f, DecodeError) for f in model.fields if f.constraint is not None)

    def decode(value: Any) -> Struct:
        if not fields:
            fields[:] = [(f.name, lookup(f.type), _when_missing(f)) for f in model.fields]
        if type(value) is not dict:
            raise DecodeError(f"must be an object, not {shown(value)}")
        found = {}
        for name, convert, absent in fields:
            given = value.get(name, _MISSING)
            if given is _MISSING:
                if absent is None:
                    raise DecodeError("is missing").under(name)
                found[name] = absent(None)
                continue
            try:
                found[name] = convert(given)
            except CodecError as wrong:
                raise wrong.under(name) from None
        for check in checks:
            check(found)
        return Struct(model.name, found)

    return decode


def _may_be_left_out(field: FieldModel) -> bool:
    """None is written as null where leaving it out would mean the default."""
    return isinstance(field.type, Optional) and field.default is None


def _when_missing(field: FieldModel) -> Convert | None:
    if field.default is not None:
        return _default(field.default)
    return (lambda _: None) if isinstance(field.type, Optional) else None


def _default(node: Node) -> Convert:
    compute = compile_node(node)
    return lambda _: compute({})


def _check(field: FieldModel, error: type[CodecError]) -> Callable[[Mapping[str, Any]], None]:
    """Raises `error` when the field's constraint does not hold. It sees the record's fields; an
    optional field that is absent has nothing to constrain."""
    assert field.constraint is not None
    compute = compile_node(field.constraint)
    rule = field.constraint_text or "its constraint"

    def check(values: Mapping[str, Any]) -> None:
        if values.get(field.name) is None:
            return
        try:
            holds = compute(values)
        except CelError as wrong:
            raise error(f"breaks its rule `{rule}`: {wrong}").under(field.name) from None
        if holds is not True:
            value = shown(values[field.name])
            raise error(f"must satisfy `{rule}`, but is {value}").under(field.name)

    return check
