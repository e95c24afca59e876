"""Types an expression: a tree of names in, a typed node and what is wrong with it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from dsl import syntax
from dsl.cel import building, calls, constants, containers, names, operators
from dsl.cel.context import BROKEN, Context, Findings, Infer, Result
from dsl.cel.mismatch import enforce
from dsl.cel.narrowing import NOTHING, Present
from dsl.cel.nodes import Node
from dsl.cel.observer import OBSERVER, Observer, Seen
from dsl.cel.scope import FieldShape, Scope
from dsl.diagnostic import Diagnostic
from dsl.source import Span
from dsl.types import Type

#: How deep an expression may be nested: Python's own stack is what limits it.
DEEPEST = 250


class Typed(msgspec.Struct, frozen=True):
    """An expression with its type, which is `any` when the expression has an error."""

    node: Node
    type: Type
    diagnostics: tuple[Diagnostic, ...]


def check(
    expr: syntax.Expr,
    scope: Scope,
    expected: Type | None = None,
    present: Present = NOTHING,
) -> Typed:
    """Types `expr`. `present` are the paths that are known not to be null where it stands."""
    context = Context(scope, _infer(), Findings(), present)
    try:
        found = context.infer(context, expr, expected, strict=expected is not None)
    except RecursionError:
        found = _too_deep(context, expr)
    return Typed(found.node, found.type, _in_order(context))


def check_arguments(
    arguments: Sequence[syntax.Argument],
    fields: Sequence[FieldShape],
    scope: Scope,
    at: Span,
    what: str,
    present: Present = NOTHING,
) -> tuple[dict[str, Node], tuple[Diagnostic, ...]]:
    """Types named arguments by the fields they are for.

    Gives a node for every field, in the fields' order, defaults filled in (fewer after an error).
    `at` is where a missing argument is reported, `what` the name of what takes them.
    """
    context = Context(scope, _infer(), Findings(), present)
    nodes, _ = building.arguments(context, arguments, fields, at, what)
    return nodes, _in_order(context)


def _in_order(context: Context) -> tuple[Diagnostic, ...]:
    return tuple(sorted(context.findings.diagnostics, key=lambda d: d.at.start))


def infer(
    context: Context, expr: syntax.Expr, hint: Type | None = None, *, strict: bool = False
) -> Result:
    """Types one expression; `hint` is only that, unless `strict`."""
    findings = context.findings
    if findings.depth >= DEEPEST:
        return _too_deep(context, expr)
    findings.depth += 1
    kind = type(expr)
    if kind in _SEEN_THROUGH:
        found = _SEEN_THROUGH[kind](context, expr, hint, strict)
    else:
        found = _TYPERS[kind](context, expr, hint)
    findings.depth -= 1
    return enforce(context, expr, found, hint) if strict and hint is not None else found


def _infer() -> Infer:
    """`infer`, or while somebody looks on, one that shows every result."""
    observer = OBSERVER.get()
    return infer if observer is None else _observed(observer)


def _observed(observer: Observer) -> Infer:
    def show(
        context: Context, expr: syntax.Expr, hint: Type | None = None, *, strict: bool = False
    ) -> Result:
        found = infer(context, expr, hint, strict=strict)
        seen = Seen(expr, found.type, context.scope, context.locals)
        observer.expressions[id(expr)] = seen
        return found

    return show


def _too_deep(context: Context, expr: syntax.Expr) -> Result:
    if not any(d.code == "F003" for d in context.findings.diagnostics):
        help = "name a part of it with `let`"
        context.report("F003", "the expression is nested too deeply", expr.at, "too deep", help)
    return BROKEN


def _literal(context: Context, expr: syntax.Literal, hint: Type | None) -> Result:
    return constants.literal(context, expr.value, expr.at)


_TYPERS: dict[type, Callable[[Context, Any, Type | None], Result]] = {
    syntax.Literal: _literal,
    syntax.Name: names.name,
    syntax.Member: names.member,
    syntax.Index: operators.index,
    syntax.Call: calls.call,
    syntax.Unary: operators.unary,
    syntax.Binary: operators.binary,
}

#: What passes a strict type on to its parts, so that the smallest wrong part is reported.
_SEEN_THROUGH: dict[type, Callable[[Context, Any, Type | None, bool], Result]] = {
    syntax.Conditional: operators.conditional,
    syntax.ListLiteral: containers.list_literal,
    syntax.MapLiteral: containers.map_literal,
}
