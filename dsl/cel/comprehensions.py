"""Typing of the macros `map filter all exists exists_one`."""

from __future__ import annotations

from typing import cast

from dsl import syntax
from dsl.cel.context import BROKEN, Context, Result
from dsl.cel.joining import plain
from dsl.cel.narrowing import narrowed
from dsl.cel.nodes import Macro, Turning
from dsl.cel.overloads import MACROS
from dsl.types import ANY, BOOL, ListOf, MapOf, Type


def comprehension(
    context: Context, expr: syntax.Call, callee: syntax.Member, hint: Type | None
) -> Result:
    """`of.macro(var, body)`."""
    name = callee.name.text
    of = context.infer(context, callee.of)
    var = _variable(context, expr, name)
    if var is None:
        return BROKEN
    of = context.certain(callee.of, of)
    element = _element(of.type)
    if element is None:
        message = f"`{name}` runs over a list or a map, not over `{of.type}`"
        of, element = (
            context.report(
                "F201", message, callee.of.at, f"`{of.type}`", "give it a list or a map"
            ),
            ANY,
        )
    inner = context.binding(var, element)
    if name == "map":
        return _map(inner, expr, of, var, hint)
    body = context.infer(inner, expr.arguments[1].value, BOOL, strict=True)
    if of.broken or body.broken:
        return BROKEN
    node = Macro(op=cast(Turning, name), of=of.node, var=var, body=body.node)
    return Result(node, ListOf(element) if name == "filter" else BOOL)


def _element(of: Type) -> Type | None:
    match of:
        case ListOf(item):
            return item
        case MapOf(key, _):
            return key
    return ANY if of is ANY else None


def _variable(context: Context, expr: syntax.Call, name: str) -> str | None:
    """The macro's variable; None, with a report, when the arguments are not a macro's."""
    counts, given = MACROS[name], len(expr.arguments)
    if given not in counts:
        wanted = " or ".join(map(str, counts))
        code, at = ("F203", expr.at) if given < 2 else ("F204", expr.arguments[-1].value.at)
        context.report(
            code,
            f"`{name}` takes {wanted} arguments, found {given}",
            at,
            "",
            f"write `{name}(x, …)`, where `x` names the element",
        )
        return None
    for argument in expr.arguments:
        if argument.name is not None:
            message = f"the arguments of `{name}` have no names"
            context.report("F204", message, argument.name.at, "a name", "remove the name")
            return None
    first = expr.arguments[0].value
    if isinstance(first, syntax.Name):
        return first.text
    message = f"the first argument of `{name}` is the name of the element"
    context.report("F201", message, first.at, "not a name", f"write `{name}(x, …)`")
    return None


def _map(inner: Context, expr: syntax.Call, of: Result, var: str, hint: Type | None) -> Result:
    keep: Result | None = None
    if len(expr.arguments) == 3:
        condition = expr.arguments[1].value
        keep = inner.infer(inner, condition, BOOL, strict=True)
        inner = inner.knowing(narrowed(condition, True))
    wanted = plain(hint) if hint is not None else None
    item = wanted.item if isinstance(wanted, ListOf) else None
    body = inner.infer(inner, expr.arguments[-1].value, item)
    if of.broken or body.broken or (keep is not None and keep.broken):
        return BROKEN
    condition_node = keep.node if keep is not None else None
    node = Macro(op="map", of=of.node, var=var, body=body.node, condition=condition_node)
    return Result(node, ListOf(body.type))
