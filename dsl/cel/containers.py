"""Typing of `[a, b]` and `{k: v}`."""

from __future__ import annotations

from dsl import syntax
from dsl.cel.context import BROKEN, Context, Result
from dsl.cel.joining import join_all, plain
from dsl.cel.nodes import ListOfNodes, MapOfNodes
from dsl.types import ANY, BOOL, INT, STRING, ListOf, MapOf, Type


def list_literal(
    context: Context, expr: syntax.ListLiteral, hint: Type | None, strict: bool
) -> Result:
    """`[a, b]`; of `any` when the items are too unlike, as in CEL."""
    wanted = plain(hint) if hint is not None else None
    item = wanted.item if isinstance(wanted, ListOf) else None
    strict = strict and item is not None
    found = [context.infer(context, i, item, strict=strict) for i in expr.items]
    if any(f.broken for f in found):
        return BROKEN
    type = item if item is not None and (strict or not found) else join_all([f.type for f in found])
    return Result(ListOfNodes(items=tuple(f.node for f in found)), ListOf(type))


def map_literal(
    context: Context, expr: syntax.MapLiteral, hint: Type | None, strict: bool
) -> Result:
    """`{k: v}`; keys are strings, ints or bools."""
    wanted = plain(hint) if hint is not None else None
    shape = wanted if isinstance(wanted, MapOf) else None
    strict = strict and shape is not None
    entries = [_entry(context, k, v, shape, strict) for k, v in expr.entries]
    if any(k.broken or v.broken for k, v in entries):
        return BROKEN
    node = MapOfNodes(entries=tuple((k.node, v.node) for k, v in entries))
    if shape is not None and (strict or not entries):
        return Result(node, shape)
    keys, values = [k.type for k, _ in entries], [v.type for _, v in entries]
    return Result(node, MapOf(join_all(keys), join_all(values)))


def _entry(
    context: Context, key: syntax.Expr, value: syntax.Expr, shape: MapOf | None, strict: bool
) -> tuple[Result, Result]:
    k = context.infer(context, key, shape and shape.key, strict=strict)
    v = context.infer(context, value, shape and shape.value, strict=strict)
    if k.type not in (STRING, INT, BOOL, ANY):
        message = f"a map's key is not a `{k.type}`"
        k = context.report("F201", message, key.at, f"`{k.type}`", "use a `string`")
    return k, v
