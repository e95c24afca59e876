"""Typed expressions compiled, once, to closures over the names' values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from dsl.cel import macros, nodes
from dsl.cel.comparison import equals, has_key
from dsl.cel.errors import (
    INVALID_ARGUMENT,
    NO_SUCH_FIELD,
    NO_SUCH_KEY,
    NO_SUCH_NAME,
    NO_SUCH_OVERLOAD,
    CelError,
    no_overload,
    shown,
    type_name,
)
from dsl.cel.functions import FUNCTIONS
from dsl.cel.wire import from_json
from dsl.values import Struct

#: Gives an expression's value under the names' values. Raises `CelError` alone.
Compiled = Callable[[Mapping[str, Any]], Any]

#: The name under which `now()` finds a datetime in UTC, or a callable that gives one.
CLOCK = "$now"


def compile_node(node: nodes.Node) -> Compiled:
    """The closure for a node. Raises `CelError` for a function that does not exist."""
    return _COMPILERS[type(node)](node)


def _const(node: nodes.Const) -> Compiled:
    value = from_json(node.value, node.type)
    return lambda env: value


def _ref(node: nodes.Ref) -> Compiled:
    name = node.name

    def run(env: Mapping[str, Any]) -> Any:
        try:
            return env[name]
        except KeyError:
            raise CelError(NO_SUCH_NAME, name) from None

    return run


def _get(node: nodes.Get) -> Compiled:
    of, name = compile_node(node.of), node.name

    def run(env: Mapping[str, Any]) -> Any:
        value = of(env)
        try:
            return value[name]
        except (KeyError, TypeError):
            raise _no_field(value, name) from None

    return run


def _no_field(value: Any, name: str) -> CelError:
    if isinstance(value, Struct):
        return CelError(NO_SUCH_FIELD, f"`{name}` of {value.type}")
    if isinstance(value, dict):
        return CelError(NO_SUCH_KEY, repr(name))
    return CelError(NO_SUCH_OVERLOAD, f"`{name}` of {type_name(value)}")


def _has(node: nodes.Has) -> Compiled:
    of, name = compile_node(node.of), node.name

    def run(env: Mapping[str, Any]) -> bool:
        value = of(env)
        if isinstance(value, Struct):
            return value.get(name) is not None
        if isinstance(value, dict):
            return has_key(value, name)
        raise _no_field(value, name)

    return run


def _call(node: nodes.Call) -> Compiled:
    if node.function == "now":
        return _now
    if node.function not in FUNCTIONS:
        raise CelError(NO_SUCH_OVERLOAD, f"no function {node.function!r}")
    function, args = FUNCTIONS[node.function], tuple(map(compile_node, node.args))
    if len(args) == 2 and isinstance(node.args[1], nodes.Const):
        return _with_constant(function, args[0], args[1]({}))
    if len(args) == 1:
        (only,) = args
        return lambda env: function(only(env))
    if len(args) == 2:
        left, right = args
        return lambda env: function(left(env), right(env))
    return lambda env: function(*(arg(env) for arg in args))


def _with_constant(function: Callable[..., Any], left: Compiled, value: Any) -> Compiled:
    if function is equals and type(value) is str:
        return lambda env: left(env) == value  # nothing but a string equals one
    return lambda env: function(left(env), value)


def _now(env: Mapping[str, Any]) -> datetime:
    clock = env.get(CLOCK)
    found = clock() if callable(clock) else clock
    if isinstance(found, datetime):
        return found
    raise CelError(NO_SUCH_NAME, "there is no clock here")


def _logic(node: nodes.Logic) -> Compiled:
    left, right = compile_node(node.left), compile_node(node.right)
    decisive = node.op == "or"  # the value of either side that settles the matter
    other, name = not decisive, "_||_" if decisive else "_&&_"

    def run(env: Mapping[str, Any]) -> Any:
        try:
            first = left(env)
        except CelError:
            if right(env) is decisive:
                return decisive
            raise
        if first is decisive:
            return decisive
        second = right(env)
        if second is decisive:
            return decisive
        if first is other and second is other:
            return other
        raise no_overload(name, first, second)

    return run


def _choose(node: nodes.Choose) -> Compiled:
    condition = compile_node(node.condition)
    then, otherwise = compile_node(node.then), compile_node(node.otherwise)

    def run(env: Mapping[str, Any]) -> Any:
        chosen = condition(env)
        if chosen is True:
            return then(env)
        if chosen is False:
            return otherwise(env)
        raise no_overload("_?_:_", chosen)

    return run


def _macro(node: nodes.Macro) -> Compiled:
    body = compile_node(node.body)
    keep = compile_node(node.condition) if node.condition else None
    return macros.compile_macro(node.op, compile_node(node.of), node.var, body, keep)


def _build(node: nodes.Build) -> Compiled:
    type, names = node.type, tuple(node.fields)
    values = tuple(map(compile_node, node.fields.values()))
    parts = tuple(zip(names, values, strict=True))
    return lambda env: Struct(type, {name: value(env) for name, value in parts})


def _list(node: nodes.ListOfNodes) -> Compiled:
    items = tuple(map(compile_node, node.items))
    return lambda env: [item(env) for item in items]


def _dict(node: nodes.MapOfNodes) -> Compiled:
    entries = tuple((compile_node(k), compile_node(v)) for k, v in node.entries)

    def run(env: Mapping[str, Any]) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key_of, value_of in entries:
            key = key_of(env)
            if type(key) not in (str, int, bool):
                raise CelError(INVALID_ARGUMENT, f"unsupported key type {type_name(key)}")
            if key in made:  # also `1` beside `true`, which a dict cannot tell apart
                raise CelError(INVALID_ARGUMENT, f"repeated key {shown(key)}")
            made[key] = value_of(env)
        return made

    return run


_COMPILERS: dict[type, Callable[[Any], Compiled]] = {
    nodes.Const: _const,
    nodes.Ref: _ref,
    nodes.Get: _get,
    nodes.Has: _has,
    nodes.Call: _call,
    nodes.Logic: _logic,
    nodes.Choose: _choose,
    nodes.Macro: _macro,
    nodes.Build: _build,
    nodes.ListOfNodes: _list,
    nodes.MapOfNodes: _dict,
}
