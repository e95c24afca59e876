"""Which paths are known not to be null, once a condition is known to hold or to fail."""

from __future__ import annotations

from dsl import syntax

#: A variable, with the fields that lead from it: `("order", "note")`.
NamePath = tuple[str, ...]
Present = frozenset[NamePath]

NOTHING: Present = frozenset()


def path_of(expr: syntax.Expr) -> NamePath | None:
    """The names of `a.b.c`; None for anything but names and members."""
    names: list[str] = []
    while isinstance(expr, syntax.Member):
        names.append(expr.name.text)
        expr = expr.of
    if not isinstance(expr, syntax.Name):
        return None
    return (expr.text, *reversed(names))


def narrowed(condition: syntax.Expr, holds: bool) -> Present:
    """The paths that are not null when `condition` is true (`holds`) or false."""
    match condition:
        case syntax.Unary(operator="!"):
            return narrowed(condition.operand, not holds)
        case syntax.Binary(operator="&&" | "||" as operator):
            left, right = narrowed(condition.left, holds), narrowed(condition.right, holds)
            return left | right if (operator == "&&") == holds else left & right
        case syntax.Binary(operator="==" | "!=" as operator) if (operator == "!=") == holds:
            return _compared_with_null(condition)
        case syntax.Call(callee=syntax.Name(text="has"), arguments=(only,)) if holds:
            path = path_of(only.value) if isinstance(only.value, syntax.Member) else None
            return frozenset({path}) if path else NOTHING
    return NOTHING


def _compared_with_null(condition: syntax.Binary) -> Present:
    for side, other in (
        (condition.left, condition.right),
        (condition.right, condition.left),
    ):
        path = path_of(side)
        if path and is_null(other):
            return frozenset({path})
    return NOTHING


def is_null(expr: syntax.Expr) -> bool:
    """Whether it is the literal `null`."""
    return isinstance(expr, syntax.Literal) and expr.value is None


def without(present: Present, name: str) -> Present:
    """What stays known when a new variable hides `name`."""
    return frozenset(path for path in present if path[0] != name)
