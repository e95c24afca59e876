"""Typing of operators: unary, binary, `?:` and indexing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from dsl import syntax
from dsl.cel.arithmetic import negate
from dsl.cel.constants import literal
from dsl.cel.context import BROKEN, Context, Result
from dsl.cel.joining import join, plain
from dsl.cel.mismatch import conversion, no_overload, shown
from dsl.cel.names import needs_hint
from dsl.cel.narrowing import is_null, narrowed, path_of
from dsl.cel.nodes import Call, Choose, Logic
from dsl.cel.overloads import NEGATION, OPERATORS, resolve
from dsl.types import ANY, BOOL, INT, NULL, ListOf, MapOf, Optional, Type, assignable


def unary(context: Context, expr: syntax.Unary, hint: Type | None) -> Result:
    """`!x` and `-x`."""
    operand = expr.operand
    if expr.operator == "!":
        found = context.infer(context, operand, BOOL, strict=True)
        return BROKEN if found.broken else Result(Call(function="!_", args=(found.node,)), BOOL)
    if isinstance(operand, syntax.Literal):
        if isinstance(operand.value, int) and not isinstance(operand.value, bool):
            return literal(context, -operand.value, expr.at)  # the least int has no positive
        if isinstance(operand.value, float | Decimal | timedelta):
            return literal(context, negate(operand.value), expr.at)
    found = context.certain(operand, context.infer(context, operand, hint))
    if found.broken:
        return BROKEN
    type = resolve(NEGATION, (found.type,))
    if type is None:
        message = f"`-` does not take `{found.type}`"
        return context.report("F201", message, expr.at, f"`{found.type}`", "negate a number")
    return Result(Call(function="-_", args=(found.node,)), type)


def binary(context: Context, expr: syntax.Binary, hint: Type | None) -> Result:
    """`left operator right`."""
    if expr.operator in ("&&", "||"):
        return _logic(context, expr)
    left, right = _operands(context, expr)
    if left.broken or right.broken:
        return BROKEN
    if expr.operator in ("==", "!="):
        return _equality(context, expr, left, right)
    if expr.operator == "in":
        return _membership(context, expr, left, right)
    return _arithmetic(context, expr, left, right)


def _logic(context: Context, expr: syntax.Binary) -> Result:
    holds = expr.operator == "&&"
    left = context.infer(context, expr.left, BOOL, strict=True)
    inner = context.knowing(narrowed(expr.left, holds))
    right = context.infer(inner, expr.right, BOOL, strict=True)
    if left.broken or right.broken:
        return BROKEN
    return Result(Logic(op="and" if holds else "or", left=left.node, right=right.node), BOOL)


def _operands(context: Context, expr: syntax.Binary) -> tuple[Result, Result]:
    """Both sides; a bare enum symbol is understood by the type of the other side."""
    if is_null(expr.right):  # a second test for null is idle, not wrong
        context = context.forgetting(path_of(expr.left))
    elif is_null(expr.left):
        context = context.forgetting(path_of(expr.right))
    if needs_hint(context, expr.left):
        right = context.infer(context, expr.right)
        hint = _element(right.type) if expr.operator == "in" else right.type
        return context.infer(context, expr.left, hint), right
    left = context.infer(context, expr.left)
    hint = ListOf(plain(left.type)) if expr.operator == "in" else left.type
    return left, context.infer(context, expr.right, hint)


def _arithmetic(context: Context, expr: syntax.Binary, left: Result, right: Result) -> Result:
    type = resolve(OPERATORS[expr.operator], (plain(left.type), plain(right.type)))
    if type is None:
        return no_overload(context, expr, left, right)
    left, right = context.certain(expr.left, left), context.certain(expr.right, right)
    if left.broken or right.broken:
        return BROKEN
    return Result(Call(function=f"_{expr.operator}_", args=(left.node, right.node)), type)


def _equality(context: Context, expr: syntax.Binary, left: Result, right: Result) -> Result:
    if NULL in (left.type, right.type) and left.type != right.type:
        side, found = (expr.left, left) if right.type is NULL else (expr.right, right)
        if not isinstance(found.type, Optional) and found.type is not ANY:
            message = f"`{shown(side)}` is never null"
            help = "leave the comparison out"
            return context.report("F201", message, expr.at, f"it is a `{found.type}`", help)
    elif not equatable(left.type, right.type):
        return no_overload(context, expr, left, right, _enum_help(context, left, right))
    return Result(Call(function=f"_{expr.operator}_", args=(left.node, right.node)), BOOL)


def _enum_help(context: Context, left: Result, right: Result) -> str:
    for found in (left.type, right.type):
        symbols = context.scope.symbols(str(plain(found)))
        if symbols:
            return f"compare with a symbol: {', '.join(f'`{s}`' for s in symbols[:5])}"
    return ""


def equatable(a: Type, b: Type) -> bool:
    """Whether values of the two types may be equal."""
    return assignable(plain(a), plain(b)) or assignable(plain(b), plain(a))


def _element(container: Type) -> Type | None:
    """The type of what `in` looks for in a container; None when it is not one."""
    match container:
        case ListOf(item):
            return item
        case MapOf(key, _):
            return key
    return ANY if container is ANY else None


def _membership(context: Context, expr: syntax.Binary, left: Result, right: Result) -> Result:
    right = context.certain(expr.right, right)
    if right.broken:
        return BROKEN
    element = _element(right.type)
    if element is None or not equatable(left.type, element):
        help = "" if element is not None else "the right side of `in` is a list or a map"
        return no_overload(context, expr, left, right, help)
    return Result(Call(function="@in", args=(left.node, right.node)), BOOL)


def conditional(
    context: Context, expr: syntax.Conditional, hint: Type | None, strict: bool
) -> Result:
    """`condition ? then : otherwise`."""
    condition = context.infer(context, expr.condition, BOOL, strict=True)
    yes = context.knowing(narrowed(expr.condition, True))
    no = context.knowing(narrowed(expr.condition, False))
    if hint is None and needs_hint(context, expr.then):
        otherwise = context.infer(no, expr.otherwise)
        then = context.infer(yes, expr.then, otherwise.type)
    else:
        then = context.infer(yes, expr.then, hint, strict=strict)
        otherwise = context.infer(no, expr.otherwise, hint or then.type, strict=strict)
    if condition.broken or then.broken or otherwise.broken:
        return BROKEN
    type = join(then.type, otherwise.type)
    if type is None:
        message = f"one branch is `{then.type}`, the other `{otherwise.type}`"
        help = conversion(expr.otherwise, otherwise.type, then.type) or "give both one type"
        return context.report("F201", message, expr.otherwise.at, f"`{otherwise.type}`", help)
    node = Choose(condition=condition.node, then=then.node, otherwise=otherwise.node)
    return Result(node, type)


def index(context: Context, expr: syntax.Index, hint: Type | None) -> Result:
    """`of[key]`."""
    of = context.certain(expr.of, context.infer(context, expr.of))
    wanted, type = _indexed(of.type)
    if type is None:
        message = f"`{of.type}` has no elements to pick with `[…]`"
        return context.report("F201", message, expr.of.at, f"`{of.type}`", "use a list or a map")
    key = context.infer(context, expr.key, wanted, strict=True)
    if of.broken or key.broken:
        return BROKEN
    return Result(Call(function="_[_]", args=(of.node, key.node)), type)


def _indexed(of: Type) -> tuple[Type, Type | None]:
    """The types of the key and of the element."""
    match of:
        case ListOf(item):
            return INT, item
        case MapOf(key, value):
            return key, value
    return ANY, ANY if of is ANY else None
