"""The types of the language, as immutable values with a textual form."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Annotated

import msgspec

from dsl.stored import AsText


class Scalar(StrEnum):
    """A built-in type. At run time: str, int (64 bit), float, bool, Decimal, bytes, UUID,
    date, datetime (UTC), timedelta. `any` is CEL's dyn, for values whose type is not known
    (`orchestrate eval`); `null` is the type of the literal `null`, `type` that of `type(x)`."""

    STRING = "string"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    DECIMAL = "decimal"
    BYTES = "bytes"
    UUID = "uuid"
    DATE = "date"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    NULL = "null"
    ANY = "any"
    TYPE = "type"


class ListOf(msgspec.Struct, frozen=True):
    """`list<item>`; a list at run time."""

    item: Type

    def __str__(self) -> str:
        return f"list<{self.item}>"


class MapOf(msgspec.Struct, frozen=True):
    """`map<key, value>`; a dict at run time. A declared map's key is a string; a literal's may be
    an int or a bool too, as in CEL."""

    key: Type
    value: Type

    def __str__(self) -> str:
        return f"map<{self.key}, {self.value}>"


class Optional(msgspec.Struct, frozen=True):
    """`T?`; None or a T at run time. Never nested."""

    of: Type

    def __str__(self) -> str:
        return f"{self.of}?"


class Named(msgspec.Struct, frozen=True):
    """A record, message or enum by its qualified name (`shop.contracts.Order`,
    `shop.contracts.inventory.StockReserved`); a `Struct`, or for an enum its symbol as a str."""

    name: str

    def __str__(self) -> str:
        return self.name


class OneOf(msgspec.Struct, frozen=True):
    """What a command may reply: one of several messages, by qualified name."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return " | ".join(self.names)


Type = Scalar | ListOf | MapOf | Optional | Named | OneOf

STRING, INT, FLOAT, BOOL = Scalar.STRING, Scalar.INT, Scalar.FLOAT, Scalar.BOOL
DECIMAL, BYTES, UUID, DATE = Scalar.DECIMAL, Scalar.BYTES, Scalar.UUID, Scalar.DATE
TIMESTAMP, DURATION, NULL, ANY = Scalar.TIMESTAMP, Scalar.DURATION, Scalar.NULL, Scalar.ANY
TYPE = Scalar.TYPE

_SCALARS = {s.value: s for s in Scalar}

#: The scalars a declaration may name.
DECLARABLE = {s.value: s for s in Scalar if s not in (NULL, ANY, TYPE)}


def optional(of: Type) -> Type:
    """`T?`, without nesting: `T??` is `T?`."""
    return of if isinstance(of, Optional) or of is ANY or of is NULL else Optional(of)


def assignable(given: Type, wanted: Type) -> bool:
    """Whether a value of `given` fits where `wanted` is expected.

    There is no conversion between numbers (CEL's rule); `T` fits `T?`, `null` fits any `T?`,
    and `any` fits everywhere because its check is made at run time.
    """
    if given == wanted or ANY in (given, wanted):
        return True
    match wanted:
        case Optional(of):
            inner = given.of if isinstance(given, Optional) else given
            return given is NULL or assignable(inner, of)
        case ListOf(item):
            return isinstance(given, ListOf) and assignable(given.item, item)
        case MapOf(key, value):
            return (
                isinstance(given, MapOf)
                and assignable(given.key, key)
                and assignable(given.value, value)
            )
        case OneOf(names):
            return isinstance(given, Named) and given.name in names
    return False


def parse_type(text: str) -> Type:
    """The type that `str()` of a type gave. Raises ValueError for any other text."""
    found, rest = _parse_union(text.strip())
    if rest:
        raise ValueError(f"not a type: {text!r}")
    return found


def _parse_union(text: str) -> tuple[Type, str]:
    first, rest = _parse_one(text)
    names = [first]
    while rest.startswith("|"):
        found, rest = _parse_one(rest[1:].lstrip())
        names.append(found)
    if len(names) == 1:
        return first, rest
    return OneOf(tuple(str(n) for n in names)), rest


def _parse_one(text: str) -> tuple[Type, str]:
    end = next((i for i, c in enumerate(text) if not (c.isalnum() or c in "._")), len(text))
    word, rest = text[:end], text[end:]
    found: Type
    if word == "list" and rest.startswith("<"):
        item, rest = _parse_union(rest[1:])
        found, rest = ListOf(item), _after(rest, ">")
    elif word == "map" and rest.startswith("<"):
        key, rest = _parse_union(rest[1:])
        value, rest = _parse_union(_after(rest, ",").lstrip())
        found, rest = MapOf(key, value), _after(rest, ">")
    elif word:
        found = _SCALARS.get(word) or Named(word)
    else:
        raise ValueError(f"not a type: {text!r}")
    if rest.startswith("?"):
        found, rest = optional(found), rest[1:]
    return found, rest.lstrip()


def _after(text: str, mark: str) -> str:
    text = text.lstrip()
    if not text.startswith(mark):
        raise ValueError(f"not a type: expected {mark!r} at {text!r}")
    return text[len(mark) :]


@lru_cache(maxsize=4096)
def _cached(text: str) -> Type:
    return parse_type(text)


def _validate(value: object) -> Type:
    if isinstance(value, str) and not isinstance(value, Scalar):
        return _cached(value)
    if isinstance(value, Type):
        return value
    raise ValueError(f"not a type: {value!r}")


#: A type as a pydantic field: its text in JSON, a value in Python.
TypeField = Annotated[Type, AsText(_validate)]
