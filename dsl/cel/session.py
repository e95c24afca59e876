"""One expression over given variables: its value and type, or what is wrong. Prints nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from dsl.cel import dynamic, wire
from dsl.cel.arithmetic import INT_MAX, INT_MIN
from dsl.cel.check import DEEPEST, check
from dsl.cel.errors import INVALID_ARGUMENT, CelError, type_name
from dsl.cel.evaluate import CLOCK, compile_node
from dsl.cel.names import TYPE_NAMES
from dsl.cel.scope import FieldShape
from dsl.depth import make_room
from dsl.diagnostic import Diagnostic, has_errors
from dsl.parse import parse_expression
from dsl.source import Source
from dsl.types import ANY, Named, Type

#: What a diagnostic shows as the file of an expression.
PATH = "expression"


class Evaluated(msgspec.Struct, frozen=True):
    """A value; its type is the one it has at run time, by the name that `type()` gives."""

    value: Any

    @property
    def type(self) -> str:
        """The language's name for the type: `int`, `float`, `list`."""
        return type_name(self.value)


class Failed(msgspec.Struct, frozen=True):
    """No value: CEL's error, or the first of the diagnostics, in one sentence."""

    message: str
    diagnostics: tuple[Diagnostic, ...] = ()


Outcome = Evaluated | Failed


def evaluate(
    text: str,
    variables: Mapping[str, Any],
    *,
    checked: bool = True,
    now: datetime | None = None,
) -> Outcome:
    """The value of an expression over variables that `read_variables` gave.

    Every variable is of type `any`. With `checked` the expression is typed first, as in a flow,
    and what does not fit is a diagnostic; without, types are those that the values have. `now` is
    what `now()` gives.
    """
    make_room()
    try:
        return _evaluate(text, variables, checked, now)
    except CelError as error:
        return Failed(str(error))
    except RecursionError:
        return Failed("the expression is nested too deeply")


def _evaluate(
    text: str, variables: Mapping[str, Any], checked: bool, now: datetime | None
) -> Outcome:
    if not _is_whole(text):
        return Failed("the expression holds half a character (a lone surrogate)")
    tree, diagnostics = parse_expression(Source(PATH, text))
    if tree is None or has_errors(diagnostics):
        return _refused(diagnostics)
    scope = _Variables(variables, checked)
    typed = check(tree, scope) if checked else dynamic.resolve(tree, scope)
    if has_errors(typed.diagnostics):
        return _refused(typed.diagnostics)
    return Evaluated(compile_node(typed.node)({**variables, CLOCK: now}))


def _refused(diagnostics: tuple[Diagnostic, ...]) -> Failed:
    return Failed(diagnostics[0].message, diagnostics)


class _Variables:
    """A scope of variables of type `any`; unchecked, every other name may turn out to be one."""

    how_to_name = "give it by `--vars`"

    def __init__(self, names: Iterable[str], checked: bool) -> None:
        self._names = frozenset(names)
        self._open = not checked

    def variable(self, name: str) -> Type | None:
        if name in self._names or (self._open and name not in _TYPE_ROOTS):
            return ANY
        return None

    def type_at(self, path: tuple[str, ...]) -> Named | None:
        return None

    def fields(self, qualified: str) -> tuple[FieldShape, ...] | None:
        return None

    def symbols(self, qualified: str) -> tuple[str, ...] | None:
        return None

    def enums_with(self, symbol: str) -> tuple[Named, ...]:
        return ()

    def names(self) -> Iterable[str]:
        return self._names


_TYPE_ROOTS = frozenset(name.partition(".")[0] for name in TYPE_NAMES)


def read_variables(data: Any) -> dict[str, Any]:
    """The variables of a parsed JSON object. A number without fraction and exponent is an int.

    A variable `a.b` is what `a.b` means in the expression, whatever else `a` holds. Raises
    `CelError`.
    """
    if not isinstance(data, dict):
        raise CelError(INVALID_ARGUMENT, "the variables are not a JSON object")
    found: dict[str, Any] = {}
    for name in sorted(data, key=lambda n: n.count(".")):
        *path, last = name.split(".")
        place = found
        for part in path:
            inner = place.get(part)
            place[part] = dict(inner) if isinstance(inner, dict) else {}
            place = place[part]
        place[last] = _read(data[name], name, 0)
    return found


def _read(data: Any, name: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise CelError(INVALID_ARGUMENT, f"`{name}` is nested too deeply")
    match data:
        case dict():
            return {_read(k, name, depth): _read(v, name, depth + 1) for k, v in data.items()}
        case list():
            return [_read(item, name, depth + 1) for item in data]
        case str() if not _is_whole(data):
            raise CelError(INVALID_ARGUMENT, "a string holds half a character (a lone surrogate)")
        case int() if not INT_MIN <= data <= INT_MAX:
            raise CelError(INVALID_ARGUMENT, f"a number of `{name}` does not fit a 64-bit int")
        case float() if not math.isfinite(data):
            raise CelError(INVALID_ARGUMENT, f"a number of `{name}` does not fit a 64-bit float")
    return data


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_json(outcome: Outcome) -> dict[str, Any]:
    """`{"value": …, "type": …}` or `{"error": …}`, of what JSON knows.

    A decimal, uuid, date, type, timestamp (RFC 3339, UTC) or duration (`90s`) is its text, bytes
    are base64, a map's keys their texts, and a float that is no number `NaN` or `Infinity`.
    """
    if isinstance(outcome, Failed):
        return {"error": outcome.message}
    try:
        return {"value": _shown(outcome.value), "type": outcome.type}
    except CelError as error:
        return {"error": str(error)}


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if not isinstance(value, dict):
        return wire.to_json(value, ANY)
    shown = {_key(key): _shown(item) for key, item in value.items()}
    if len(shown) == len(value):
        return shown
    raise CelError(INVALID_ARGUMENT, "two keys of a map have the same text, so it has no JSON form")


def _key(key: Any) -> str:
    return ("true" if key else "false") if isinstance(key, bool) else str(key)
