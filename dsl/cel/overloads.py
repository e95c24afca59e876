"""Which types each operator and function takes, and what it then gives."""

from __future__ import annotations

import msgspec

from dsl.cel import instants
from dsl.cel.joining import join
from dsl.types import (
    ANY,
    BOOL,
    BYTES,
    DATE,
    DECIMAL,
    DURATION,
    FLOAT,
    INT,
    STRING,
    TIMESTAMP,
    TYPE,
    UUID,
    ListOf,
    MapOf,
    Named,
    Type,
)


class Overload(msgspec.Struct, frozen=True):
    """One form of a function. A `Named` whose name is in angle brackets stands for any type."""

    parameters: tuple[Type, ...]
    result: Type


Overloads = tuple[Overload, ...]

_K, _V = Named("<K>"), Named("<V>")


def _same(*types: Type) -> Overloads:
    """Two operands of one type, which the result has too."""
    return tuple(Overload((t, t), t) for t in types)


def _each(types: tuple[Type, ...], result: Type, *rest: Type) -> Overloads:
    return tuple(Overload((t, *rest), result) for t in types)


_LIST, _MAP = ListOf(_V), MapOf(_K, _V)
_NUMBERS = (INT, FLOAT, DECIMAL)
_SUMMABLE = (*_NUMBERS, DURATION)
ORDERED = (INT, FLOAT, STRING, BOOL, BYTES, DECIMAL, TIMESTAMP, DURATION, DATE)
_COMPARISON = tuple(Overload((t, t), BOOL) for t in ORDERED)
_SIZE = _each((STRING, BYTES, _LIST, _MAP), INT)
_TWO_STRINGS = (Overload((STRING, STRING), BOOL),)

OPERATORS: dict[str, Overloads] = {
    "+": (
        *_same(*_NUMBERS, STRING, BYTES, DURATION, _LIST),
        Overload((TIMESTAMP, DURATION), TIMESTAMP),
        Overload((DURATION, TIMESTAMP), TIMESTAMP),
    ),
    "-": (
        *_same(*_NUMBERS, DURATION),
        Overload((TIMESTAMP, DURATION), TIMESTAMP),
        Overload((TIMESTAMP, TIMESTAMP), DURATION),
    ),
    "*": _same(*_NUMBERS),
    "/": _same(*_NUMBERS),
    "%": _same(INT),
    "<": _COMPARISON,
    "<=": _COMPARISON,
    ">": _COMPARISON,
    ">=": _COMPARISON,
}

NEGATION: Overloads = tuple(Overload((t,), t) for t in (*_NUMBERS, DURATION))

CONVERSIONS: dict[str, Overloads] = {
    "string": _each(
        (STRING, INT, FLOAT, BOOL, BYTES, DECIMAL, UUID, DATE, TIMESTAMP, DURATION), STRING
    ),
    "int": _each((INT, FLOAT, STRING, DECIMAL, TIMESTAMP), INT),
    "double": _each((FLOAT, INT, STRING, DECIMAL), FLOAT),
    "bool": _each((BOOL, STRING), BOOL),
    "bytes": _each((BYTES, STRING), BYTES),
    "decimal": _each((DECIMAL, STRING, INT), DECIMAL),
    "uuid": _each((UUID, STRING), UUID),
    "date": _each((DATE, STRING, TIMESTAMP), DATE),
    "timestamp": _each((TIMESTAMP, STRING, INT, DATE), TIMESTAMP),
    "duration": _each((DURATION, STRING), DURATION),
}

#: Functions whose `Call` node has another name than the source.
CANONICAL = {"float": "double"}

FUNCTIONS: dict[str, Overloads] = {
    **CONVERSIONS,
    "float": CONVERSIONS["double"],
    "size": _SIZE,
    "matches": _TWO_STRINGS,
    "now": (Overload((), TIMESTAMP),),
    "dyn": (Overload((_V,), ANY),),
    "type": (Overload((_V,), TYPE),),
}


def _part(name: str) -> Overloads:
    found = [Overload((TIMESTAMP,), INT), Overload((TIMESTAMP, STRING), INT)]
    found += [Overload((DATE,), INT)] if name in instants.DAY_PARTS else []
    found += [Overload((DURATION,), INT)] if name in instants.DURATION_PARTS else []
    return tuple(found)


#: The receiver is the first parameter.
METHODS: dict[str, Overloads] = {
    "size": _SIZE,
    "startsWith": _TWO_STRINGS,
    "endsWith": _TWO_STRINGS,
    "contains": _TWO_STRINGS,
    "matches": _TWO_STRINGS,
    "sum": tuple(Overload((ListOf(t),), t) for t in _SUMMABLE),
    "min": tuple(Overload((ListOf(t),), t) for t in ORDERED),
    "max": tuple(Overload((ListOf(t),), t) for t in ORDERED),
    **{name: _part(name) for name in instants.INSTANT_PARTS},
}

#: Macros, with how many arguments each takes.
MACROS = {"map": (2, 3), "filter": (2,), "all": (2,), "exists": (2,), "exists_one": (2,)}


def resolve(overloads: Overloads, given: tuple[Type, ...]) -> Type | None:
    """The result's type for arguments of these types; None when no overload takes them.

    Arguments of type `any` may leave several overloads; the result is then `any`, unless all of
    them agree.
    """
    results = {result for overload in overloads if (result := _apply(overload, given)) is not None}
    if len(results) > 1:
        return ANY
    return next(iter(results), None)


def _apply(overload: Overload, given: tuple[Type, ...]) -> Type | None:
    if len(overload.parameters) != len(given):
        return None
    bound: dict[str, Type] = {}
    if all(_fits(p, g, bound) for p, g in zip(overload.parameters, given, strict=True)):
        return _substitute(overload.result, bound)
    return None


def _fits(parameter: Type, given: Type, bound: dict[str, Type]) -> bool:
    if isinstance(parameter, Named) and parameter.name.startswith("<"):
        known = bound.setdefault(parameter.name, given)
        joined = join(known, given)
        bound[parameter.name] = joined or known
        return joined is not None
    if given is ANY:
        return True
    match parameter, given:
        case ListOf(wanted), ListOf(item):
            return _fits(wanted, item, bound)
        case MapOf(key, value), MapOf(given_key, given_value):
            return _fits(key, given_key, bound) and _fits(value, given_value, bound)
    return parameter == given


def _substitute(result: Type, bound: dict[str, Type]) -> Type:
    match result:
        case Named(name) if name.startswith("<"):
            return bound.get(name, ANY)
        case ListOf(item):
            return ListOf(_substitute(item, bound))
    return result
