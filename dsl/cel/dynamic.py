"""Expressions without static types, as CEL evaluates what nobody has checked: every type is `any`,
and what does not fit is an error of the evaluation, which `&&` and `||` may absorb."""

from __future__ import annotations

from dsl import syntax
from dsl.cel.check import DEEPEST, Typed, infer
from dsl.cel.context import BROKEN, Context, Findings, Result
from dsl.cel.functions import UNKNOWN
from dsl.cel.nodes import Call, Const, Node
from dsl.cel.overloads import CANONICAL, CONVERSIONS, FUNCTIONS, MACROS, METHODS
from dsl.cel.scope import Scope
from dsl.types import ANY, STRING, Type


def resolve(expr: syntax.Expr, scope: Scope) -> Typed:
    """The node of `expr`, of type `any`; reported is only what is no expression of CEL at all."""
    context = Context(scope, _infer, Findings())
    found = _infer(context, expr)
    return Typed(found.node, ANY, tuple(context.findings.diagnostics))


def _infer(
    context: Context, expr: syntax.Expr, hint: Type | None = None, *, strict: bool = False
) -> Result:
    found = _late(context, expr) if isinstance(expr, syntax.Call) else None
    found = found or infer(context, expr)
    return found if found.broken else Result(found.node, ANY)


def _late(context: Context, expr: syntax.Call) -> Result | None:
    """A call that is settled at run time, though the checker would try it out or refuse it."""
    findings = context.findings
    if findings.depth >= DEEPEST:
        return None
    if any(a.name is not None for a in expr.arguments):
        return _build(context, expr)
    parts = [a.value for a in expr.arguments]
    function, first = UNKNOWN, list[Node]()
    match expr.callee:
        case syntax.Name(name) if name in CONVERSIONS and len(parts) == 1:
            function = CANONICAL.get(name, name)
        case syntax.Name(name) if name not in FUNCTIONS and name != "has":
            first = [_name(name)]
        case syntax.Member(of, syntax.Identifier(name)) if name not in (*METHODS, *MACROS):
            first, parts = [_name(name)], [of, *parts]
        case _:
            return None
    findings.depth += 1
    found = [context.infer(context, part) for part in parts]
    findings.depth -= 1
    if any(f.broken for f in found):
        return BROKEN
    return Result(Call(function=function, args=(*first, *(f.node for f in found))), ANY)


def _build(context: Context, expr: syntax.Call) -> Result | None:
    text = expr.callee.at.text
    if text in FUNCTIONS or text == "has" or isinstance(expr.callee, syntax.Member):
        return None
    message = f"no record or message `{text}` here"
    help = f"declare `{text}` as a record, or import it"
    return context.report("F104", message, expr.callee.at, "not declared", help)


def _name(name: str) -> Node:
    return Const(type=STRING, value=name)
