"""Names, fields and enum symbols."""

from __future__ import annotations

from dsl import syntax
from dsl.cel.context import BROKEN, Context, Result, did_you_mean
from dsl.cel.joining import join_all, plain
from dsl.cel.narrowing import path_of
from dsl.cel.nodes import Const, Get, Ref
from dsl.cel.scope import FieldShape
from dsl.suggestion import one_of
from dsl.types import ANY, DECLARABLE, STRING, TYPE, MapOf, Named, OneOf, Type

#: What names a type where a value is meant, as in `type(x) == int`; CEL's names beside ours.
TYPE_NAMES = {name: name for name in (*DECLARABLE, "list", "map", "type")} | {
    "double": "float",
    "null_type": "null",
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Duration": "duration",
}


def name(context: Context, expr: syntax.Name, hint: Type | None) -> Result:
    """A variable, or else a symbol of an enum."""
    type = context.variable(expr.text)
    if type is not None:
        return Result(Ref(name=expr.text), _narrow(context, type, (expr.text,)))
    symbol = _symbol(context, expr, hint)
    return symbol or _type_value(expr.text) or _unknown(context, expr, hint)


def needs_hint(context: Context, expr: syntax.Expr) -> bool:
    """Whether it takes its type from what stands beside it: a bare symbol, `[]` or `{}`."""
    match expr:
        case syntax.Name(text):
            return context.variable(text) is None
        case syntax.ListLiteral(items=()) | syntax.MapLiteral(entries=()):
            return True
    return False


def _narrow(context: Context, type: Type, path: tuple[str, ...] | None) -> Type:
    return plain(type) if path in context.present else type


def _enum_symbols(context: Context, type: Type | None) -> tuple[str, ...]:
    found = plain(type) if type is not None else None
    return (context.scope.symbols(found.name) or ()) if isinstance(found, Named) else ()


def _symbol(context: Context, expr: syntax.Name, hint: Type | None) -> Result | None:
    if hint is not None and expr.text in _enum_symbols(context, hint):
        return _enum_constant(plain(hint), expr.text)
    enums = context.scope.enums_with(expr.text)
    if len(enums) == 1:
        return _enum_constant(enums[0], expr.text)
    if not enums:
        return None
    names = " and ".join(f"`{e.name}`" for e in enums)
    return context.report(
        "F208",
        f"`{expr.text}` is a symbol of {names}",
        expr.at,
        "which of them?",
        f"write `{enums[0].name.rpartition('.')[2]}.{expr.text}`",
    )


def _type_value(text: str) -> Result | None:
    """The constant of a built-in type's name."""
    found = TYPE_NAMES.get(text)
    return Result(Const(type=TYPE, value=found), TYPE) if found is not None else None


def _enum_constant(enum: Type, symbol: str) -> Result:
    return Result(Const(type=enum, value=symbol), enum)


def _unknown(context: Context, expr: syntax.Name, hint: Type | None) -> Result:
    symbols = _enum_symbols(context, hint)
    if context.scope.type_at((expr.text,)) is not None:
        return _type_as_value(context, expr, expr.text)
    known = [*context.names(), *symbols]
    help = did_you_mean(expr.text, known, one_of(known, context.scope.how_to_name))
    return context.report("F101", f"no name `{expr.text}` here", expr.at, "not declared", help)


def _type_as_value(context: Context, expr: syntax.Expr, text: str) -> Result:
    return context.report(
        "F101", f"`{text}` is a type, not a value", expr.at, "a type", f"build one: `{text}(…)`"
    )


def member(context: Context, expr: syntax.Member, hint: Type | None) -> Result:
    """`of.name`: a field, a map's entry, or an enum's symbol."""
    path = context.path(expr)
    if path is not None:
        found = _qualified(context, expr, path)
        if found is not None:
            return found
    of = context.infer(context, expr.of)
    if of.broken:
        return BROKEN
    of = context.certain(expr.of, of)
    return of if of.broken else field_of(context, expr, of)


def _qualified(context: Context, expr: syntax.Member, path: tuple[str, ...]) -> Result | None:
    """`Currency.EUR`; None when the path leads to no type."""
    enum = context.scope.type_at(path[:-1])
    if enum is None:
        found = context.scope.type_at(path)
        if found:
            return _type_as_value(context, expr, ".".join(path))
        return _type_value(".".join(path))
    symbols = context.scope.symbols(enum.name)
    if symbols is None:
        return _type_as_value(context, expr.of, ".".join(path[:-1]))
    if path[-1] in symbols:
        return _enum_constant(enum, path[-1])
    return context.report(
        "F101",
        f"`{path[-1]}` is not a symbol of `{enum.name}`",
        expr.name.at,
        "no such symbol",
        did_you_mean(path[-1], symbols, one_of(symbols)),
    )


def field_of(context: Context, expr: syntax.Member, of: Result) -> Result:
    """The field `expr.name` of a value that is not null."""
    type = _member_type(context, expr, of.type)
    if type is None:
        return BROKEN
    if not isinstance(of.type, MapOf):  # `has(map.key)` does not say that the entry is not null
        type = _narrow(context, type, path_of(expr))
    return Result(Get(of=of.node, name=expr.name.text), type)


def _member_type(context: Context, expr: syntax.Member, of: Type) -> Type | None:
    """The type of a field of a value of type `of`; None, with a report, when it has none."""
    match of:
        case _ if of is ANY:
            return ANY
        case MapOf(key, value) if key in (STRING, ANY):
            return value
        case Named(type_name):
            return _field_type(context, expr, (type_name,), of)
        case OneOf(names):
            return _field_type(context, expr, names, of)
    context.report("F202", f"`{of}` has no fields", expr.name.at, f"of a `{of}`", "remove it")
    return None


def _field_type(
    context: Context, expr: syntax.Member, names: tuple[str, ...], of: Type
) -> Type | None:
    shapes = [fields_by_name(context, n) for n in names]
    found = [s[expr.name.text].type for s in shapes if expr.name.text in s]
    if len(found) == len(shapes):
        return join_all(found)
    known = [f for s in shapes for f in s]
    help = did_you_mean(expr.name.text, known, one_of(known, "it has no fields"))
    if found:
        help = "only some of them have it: `match` on the value first"
    context.report("F202", f"`{of}` has no field `{expr.name.text}`", expr.name.at, "", help)
    return None


def fields_by_name(context: Context, qualified: str) -> dict[str, FieldShape]:
    """The fields of a record or message; empty for an enum."""
    return {f.name: f for f in context.scope.fields(qualified) or ()}
