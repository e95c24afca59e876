"""Literals, and conversions of literals, which are made while checking."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from dsl import syntax
from dsl.cel import conversions
from dsl.cel.arithmetic import INT_MAX, INT_MIN, duration
from dsl.cel.context import Context, Result
from dsl.cel.errors import CelError
from dsl.cel.nodes import Const
from dsl.cel.patterns import compile_pattern
from dsl.cel.wire import to_json
from dsl.fine import PLAIN
from dsl.source import Span
from dsl.types import BOOL, BYTES, DECIMAL, DURATION, FLOAT, INT, NULL, STRING, Type

_TYPES: dict[type, Type] = {
    str: STRING,
    bytes: BYTES,
    bool: BOOL,
    int: INT,
    float: FLOAT,
    timedelta: DURATION,
    Decimal: DECIMAL,
    type(None): NULL,
}

#: What a conversion of a text reads.
_EXAMPLES = {
    "decimal": '"12.50"',
    "uuid": '"6f1c1a52-8f3c-4a9e-9d4e-5f0d8c6c2b7a"',
    "date": '"2026-01-31"',
    "timestamp": '"2026-01-31T08:00:00Z"',
    "duration": '"1h30m"',
    "int": '"12"',
    "double": '"1.5"',
    "bool": '"true"',
}


def constant(value: Any, type: Type) -> Result:
    """A value as a node."""
    return Result(Const(type=type, value=to_json(value, type)), type)


def literal(context: Context, value: Any, at: Span) -> Result:
    """What a literal means."""
    if type(value) is int and not INT_MIN <= value <= INT_MAX:
        return context.report(
            "F207",
            f"overflow: `{at.text}` does not fit a 64-bit int",
            at,
            "too large",
            'write `decimal("…")` for a larger number',
        )
    if isinstance(value, timedelta):
        try:
            duration(value)
        except CelError:
            message, help = f"`{at.text}` is too long a duration", "stay below 10,000 years"
            return context.report("F207", message, at, "too long", help)
    return constant(value, _TYPES[PLAIN.get(type(value), type(value))])


def converted(context: Context, function: str, argument: syntax.Expr, to: Type) -> Result | None:
    """`decimal("1.5")` and the like as a constant; None when the argument is not a literal."""
    if not isinstance(argument, syntax.Literal) or argument.value is None:
        return None
    try:
        value = conversions.CONVERSIONS[function](argument.value)
    except CelError as error:
        message = f"`{argument.at.text}` does not make a `{to}`"
        why = error.detail.rpartition(" is ")[2] or error.kind
        example = _EXAMPLES.get(function)
        help = f"write it like `{function}({example})`" if example else "write another value"
        return context.report("F207", message, argument.at, why, help)
    return constant(value, to)


def check_pattern(context: Context, argument: syntax.Expr) -> bool:
    """Whether the pattern of `matches` is one, as far as it is a literal."""
    if isinstance(argument, syntax.Literal) and isinstance(argument.value, str):
        try:
            compile_pattern(argument.value)
        except CelError as error:
            why = error.detail.partition(": ")[2]
            message = f"`{argument.at.text}` is not a pattern"
            help = "write a regular expression, as RE2 has them"
            context.report("F207", message, argument.at, why, help)
            return False
    return True
