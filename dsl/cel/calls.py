"""Typing of calls: functions, methods, `has`, and what only looks like a call."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from dsl import syntax
from dsl.cel import building, comprehensions
from dsl.cel.constants import check_pattern, constant, converted
from dsl.cel.context import BROKEN, Context, Result, closest, did_you_mean
from dsl.cel.joining import plain
from dsl.cel.names import field_of
from dsl.cel.nodes import Call, Has
from dsl.cel.overloads import (
    CANONICAL,
    CONVERSIONS,
    FUNCTIONS,
    MACROS,
    METHODS,
    Overloads,
    resolve,
)
from dsl.types import ANY, BOOL, DECIMAL, DURATION, FLOAT, INT, STRING, TYPE, Named, Type

#: What the sum of an empty list is.
_ZEROS: dict[Type, Any] = {FLOAT: 0.0, DECIMAL: Decimal(0), DURATION: timedelta()}


def call(context: Context, expr: syntax.Call, hint: Type | None) -> Result:
    """`f(x)`, `x.f(y)`, `Record(field: value)`."""
    path = context.path(expr.callee)
    type = context.scope.type_at(path) if path else None
    if type is not None:
        return building.build(context, expr, type)
    match expr.callee:
        case syntax.Name("has"):
            return _has(context, expr)
        case syntax.Name() | syntax.Member() if path and _looks_like_a_type(expr, path[-1]):
            return _unknown_type(context, expr)
        case syntax.Name() as callee:
            return _function(context, expr, callee)
        case syntax.Member() as callee:
            return _method(context, expr, callee, hint)
    return context.report("F205", "only a function can be called", expr.callee.at, "not a function")


def _looks_like_a_type(expr: syntax.Call, last: str) -> bool:
    named = any(a.name is not None for a in expr.arguments)
    return last not in FUNCTIONS and (named or last[0].isupper())


def _unknown_type(context: Context, expr: syntax.Call) -> Result:
    text = ".".join(context.path(expr.callee) or ())
    for argument in expr.arguments:
        context.infer(context, argument.value)
    message, help = f"no record or message `{text}` here", f"declare `{text}`, or import it"
    return context.report("F104", message, expr.callee.at, "not declared", help)


def _function(context: Context, expr: syntax.Call, callee: syntax.Name) -> Result:
    overloads = FUNCTIONS.get(callee.text)
    if overloads is None:
        return _unknown_function(context, callee.text, callee)
    if not _takes(context, expr, callee.text, overloads, 0):
        return BROKEN
    name = CANONICAL.get(callee.text, callee.text)
    if name in CONVERSIONS:
        to = overloads[0].result
        made = converted(context, name, expr.arguments[0].value, to)
        if made is not None:
            return made
    arguments = [(a.value, context.infer(context, a.value)) for a in expr.arguments]
    if any(found.broken for _, found in arguments):
        return BROKEN
    if name == "dyn":
        return Result(arguments[0][1].node, ANY)
    if name == "type":  # of null too, and so of what may be null
        return Result(Call(function=name, args=(arguments[0][1].node,)), TYPE)
    return _apply(context, expr, callee.text, overloads, arguments)


#: What other languages call `size`.
_SIZES = ("len", "length", "count")


def _unknown_function(context: Context, name: str, callee: syntax.Name) -> Result:
    if context.variable(name) is not None:
        return context.report(
            "F205", f"`{name}` is not a function", callee.at, "a value", "remove the parentheses"
        )
    on_values = [*METHODS, *MACROS]
    if name in on_values:
        help = f"call it on a value, as in `x.{name}(…)`"
    elif name in _SIZES:
        help = "`size(x)` says how many there are"
    else:
        help = did_you_mean(name, [*FUNCTIONS, "has"], "call one that the language has")
    return context.report("F205", f"no function `{name}`", callee.at, "unknown function", help)


def _takes(
    context: Context, expr: syntax.Call, name: str, overloads: Overloads, receivers: int
) -> bool:
    """Whether the number of arguments is right and none is named."""
    for argument in expr.arguments:
        if argument.name is not None:
            message = f"the arguments of `{name}` have no names"
            context.report("F204", message, argument.name.at, "a name", "remove the name")
            return False
    counts = sorted({len(o.parameters) - receivers for o in overloads})
    return right_count(context, expr, name, counts)


def right_count(context: Context, expr: syntax.Call, name: str, counts: Iterable[int]) -> bool:
    """Whether as many arguments are given as `name` takes."""
    counts, given = list(counts), len(expr.arguments)
    if given in counts:
        return True
    wanted = " or ".join(map(str, counts))
    message = f"`{name}` takes {wanted} argument{'' if wanted == '1' else 's'}, found {given}"
    if given < min(counts):
        help = f"give {min(counts)} of them"
        context.report("F203", message, expr.at, "an argument is missing", help)
    else:
        at = expr.arguments[max(counts)].value.at
        context.report("F204", message, at, "one too many", "remove it")
    return False


def _method(
    context: Context, expr: syntax.Call, callee: syntax.Member, hint: Type | None
) -> Result:
    name = callee.name.text
    if name in MACROS:
        return comprehensions.comprehension(context, expr, callee, hint)
    receiver = context.infer(context, callee.of)
    if receiver.broken:
        return BROKEN
    overloads = METHODS.get(name)
    if overloads is None:
        return _unknown_method(context, callee, receiver)
    if not _takes(context, expr, name, overloads, 1):
        return BROKEN
    arguments = [(a.value, context.infer(context, a.value)) for a in expr.arguments]
    if any(found.broken for _, found in arguments):
        return BROKEN
    return _apply(context, expr, name, overloads, [(callee.of, receiver), *arguments])


def _unknown_method(context: Context, callee: syntax.Member, receiver: Result) -> Result:
    name, known = callee.name.text, [*METHODS, *MACROS]
    help = did_you_mean(name, known)
    if name in _SIZES:
        help = f"write `size({callee.of.at.text})`"
    elif name in FUNCTIONS:
        help = f"write `{name}({callee.of.at.text})`"
    elif closest(name, known) is None and isinstance(plain(receiver.type), Named):
        help = "a field is read without parentheses"
    message = f"no function `{name}` on `{receiver.type}`"
    return context.report("F205", message, callee.name.at, "unknown function", help)


def _apply(
    context: Context,
    expr: syntax.Call,
    name: str,
    overloads: Overloads,
    arguments: list[tuple[syntax.Expr, Result]],
) -> Result:
    """The call of an overload for these arguments (the receiver first)."""
    given = tuple(_as_text(context, name, plain(found.type)) for _, found in arguments)
    type = resolve(overloads, given)
    if type is None:
        return _no_overload(context, expr, name, given)
    certain = [context.certain(value, found) for value, found in arguments]
    if any(found.broken for found in certain):
        return BROKEN
    if name == "matches" and not check_pattern(context, arguments[1][0]):
        return BROKEN
    nodes = [found.node for found in certain]
    if name == "sum":
        nodes.append(constant(_ZEROS.get(type, 0), INT if type is ANY else type).node)
    return Result(Call(function=CANONICAL.get(name, name), args=tuple(nodes)), type)


def _as_text(context: Context, function: str, type: Type) -> Type:
    """`string()` takes an enum's symbol too."""
    is_enum = isinstance(type, Named) and context.scope.symbols(type.name) is not None
    return STRING if is_enum and function == "string" else type


def _no_overload(context: Context, expr: syntax.Call, name: str, given: tuple[Type, ...]) -> Result:
    types = ", ".join(f"`{t}`" for t in given)
    if isinstance(expr.callee, syntax.Member):
        receiver, _, rest = types.partition(", ")
        message = f"no `{name}({rest.replace('`', '')})` on {receiver}"
        help = "call it on another value, or with others"
        return context.report("F201", message, expr.callee.name.at, f"on {receiver}", help)
    at = expr.arguments[0].value.at if expr.arguments else expr.at
    message = f"`{name}` does not take {types}"
    return context.report("F201", message, at, types, "give it another value")


def _has(context: Context, expr: syntax.Call) -> Result:
    if not right_count(context, expr, "has", [1]):
        return BROKEN
    argument = expr.arguments[0].value
    if not isinstance(argument, syntax.Member):
        help = f"write `{argument.at.text} != null`" if isinstance(argument, syntax.Name) else ""
        return context.report("F201", "`has` takes a field", argument.at, "not a field", help)
    of = context.certain(argument.of, context.infer(context, argument.of))
    if of.broken or field_of(context, argument, of).broken:
        return BROKEN
    return Result(Has(of=of.node, name=argument.name.text), BOOL)
