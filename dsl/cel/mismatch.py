"""What to say when a type is not the one that is needed, and what to write instead."""

from __future__ import annotations

from dsl import syntax
from dsl.cel.context import Context, Result, may_be_null
from dsl.cel.conversions import CONVERSIONS as RUN
from dsl.cel.errors import CelError
from dsl.cel.joining import plain
from dsl.cel.overloads import CONVERSIONS, resolve
from dsl.types import DECIMAL, DURATION, FLOAT, INT, STRING, Named, Optional, Type, assignable

_NUMBERS = (INT, FLOAT, DECIMAL)


def enforce(context: Context, expr: syntax.Expr, found: Result, wanted: Type) -> Result:
    """The result itself when it fits `wanted`, an error otherwise."""
    if found.broken or assignable(found.type, wanted):
        return found
    if isinstance(found.type, Optional) and assignable(found.type.of, wanted):
        return may_be_null(context, expr, found.type)
    message = f"expected `{wanted}`, found `{found.type}`"
    return context.report(
        "F201", message, expr.at, f"of type `{found.type}`", _help(context, expr, found, wanted)
    )


def _help(context: Context, expr: syntax.Expr, found: Result, wanted: Type) -> str:
    target, given = plain(wanted), plain(found.type)
    if isinstance(target, Named) and given is STRING:
        symbols = context.scope.symbols(target.name) or ()
        if symbols:
            return f"write a symbol: {', '.join(f'`{s}`' for s in symbols[:5])}"
    if target is DURATION and given is INT and isinstance(expr, syntax.Literal):
        return f"say the unit, as in `{shown(expr)}s`"
    return conversion(expr, given, target) or f"give a `{wanted}` here"


def conversion(expr: syntax.Expr, given: Type, wanted: Type) -> str:
    """«write `decimal(x)`», when a conversion leads from one type to the other."""
    text = shown(expr)
    if wanted is FLOAT and isinstance(expr, syntax.Literal) and given is INT:
        return f"write `{text}.0`"
    if wanted is DECIMAL and given is FLOAT:
        inside = f'"{text}"' if isinstance(expr, syntax.Literal) else f"string({text})"
        return f"write `decimal({inside})`"
    name = "double" if wanted is FLOAT else str(wanted)
    if resolve(CONVERSIONS.get(name, ()), (given,)) != wanted or not _converts(expr, name):
        return ""
    return f"write `{name}({text})`"


def _converts(expr: syntax.Expr, name: str) -> bool:
    """False for a literal that the conversion refuses."""
    try:
        return not isinstance(expr, syntax.Literal) or RUN[name](expr.value) is not None
    except CelError:
        return False


def shown(expr: syntax.Expr) -> str:
    """The text of an expression, or `…` for a long one."""
    text = expr.at.text
    return text if len(text) <= 30 and "\n" not in text else "…"


def no_overload(
    context: Context, expr: syntax.Binary, left: Result, right: Result, also: str = ""
) -> Result:
    """Reports an operator that does not take its operands."""
    a, b = left.type, right.type
    types = f"two `{a}`" if a == b else f"`{a}` and `{b}`"
    message = f"`{expr.operator}` does not take {types}"
    return context.report("F201", message, expr.at, types, also or _operand_help(expr, a, b))


def _operand_help(expr: syntax.Binary, left: Type, right: Type) -> str:
    """Which operand to convert: an int to what the other is, anything to a string for `+`."""
    if left == right:
        return "use another operator"
    for side, given, other in ((expr.right, right, left), (expr.left, left, right)):
        if given in _NUMBERS and other in _NUMBERS and other is not INT and given is not DECIMAL:
            return conversion(side, given, other)
        if other is STRING and expr.operator == "+" and given is not STRING:
            return conversion(side, given, STRING)
    return "use values that go together"
