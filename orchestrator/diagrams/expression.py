"""Expressions as short text, for those whose own text the model does not keep."""

from __future__ import annotations

import json

from dsl.cel.nodes import Build, Call, Choose, Const, Get, Has, ListOfNodes, Logic, Macro, Node, Ref
from dsl.types import Scalar
from orchestrator.diagrams.text import duration


def shown(node: Node) -> str:
    """An expression as the language would write it, long parts left out."""
    match node:
        case Const(type=Scalar.STRING, value=value):
            return json.dumps(value, ensure_ascii=False)
        case Const(type=Scalar.DURATION, value=str() as value):
            return duration(float(value.removesuffix("s")))
        case Const(value=value):
            return value if isinstance(value, str) else json.dumps(value)
        case Ref(name=name):
            return name
        case Get(of=of, name=name):
            return f"{shown(of)}.{name}"
        case Has(of=of, name=name):
            return f"has({shown(of)}.{name})"
        case Logic(op=op, left=left, right=right):
            return f"{shown(left)} {'&&' if op == 'and' else '||'} {shown(right)}"
        case Choose(condition=condition, then=then, otherwise=otherwise):
            return f"{shown(condition)} ? {shown(then)} : {shown(otherwise)}"
        case Call(function=function, args=args):
            return _call(function, [shown(a) for a in args])
        case Macro(op=op, of=of, var=var):
            return f"{shown(of)}.{op}({var}, …)"
        case Build(type=type):
            return f"{type.rpartition('.')[2]}(…)"
        case ListOfNodes(items=items):
            return "[…]" if items else "[]"
        case _:
            return "{…}"


def _call(function: str, args: list[str]) -> str:
    """CEL names an operator by its form with `_` for each operand: `_+_`, `-_`, `_[_]`."""
    if function.isidentifier() and not function.startswith("_"):
        return f"{function}({', '.join(args)})"
    first, *rest = function.split("_")
    if len(rest) == 2 and not rest[-1]:
        rest[0] = f" {rest[0]} "
    return first + "".join(a + piece for a, piece in zip(args, rest, strict=False))
