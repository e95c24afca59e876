"""Named arguments: of records, messages, and whatever else has fields."""

from __future__ import annotations

from collections.abc import Sequence

from dsl import syntax
from dsl.cel.context import BROKEN, Context, Result, closest, did_you_mean
from dsl.cel.nodes import Build, Const, Node
from dsl.cel.scope import FieldShape
from dsl.diagnostic import Note
from dsl.source import Span
from dsl.suggestion import one_of
from dsl.types import Named, Optional


def build(context: Context, expr: syntax.Call, type: Named) -> Result:
    """`Order(order_id: id, lines: [])`."""
    fields = context.scope.fields(type.name)
    if fields is None:
        symbols = context.scope.symbols(type.name) or ("…",)
        message = f"`{expr.callee.at.text}` is an enum, not a record"
        help = f"write a symbol: `{expr.callee.at.text}.{symbols[0]}`"
        return context.report("F205", message, expr.callee.at, "an enum", help)
    what = expr.callee.at.text
    nodes, sound = arguments(context, expr.arguments, fields, expr.callee.at, what)
    return Result(Build(type=type.name, fields=nodes), type) if sound else BROKEN


def arguments(
    context: Context,
    given: Sequence[syntax.Argument],
    fields: Sequence[FieldShape],
    at: Span,
    what: str,
) -> tuple[dict[str, Node], bool]:
    """A node for every field, in the fields' order, and whether no error was found."""
    before = len(context.findings.diagnostics)
    by_name = {f.name: f for f in fields}
    nodes: dict[str, Node] = {}
    seen: dict[str, syntax.Identifier] = {}
    meant: set[str] = set()
    for argument in given:
        field = _field(context, argument, by_name, seen, meant, what)
        hint = field.type if field else None
        found = context.infer(context, argument.value, hint, strict=field is not None)
        if field is not None:
            nodes[field.name] = found.node
    _fill(context, fields, nodes, meant, at, what)
    ordered = {f.name: nodes[f.name] for f in fields if f.name in nodes}
    return ordered, len(context.findings.diagnostics) == before


def _field(
    context: Context,
    argument: syntax.Argument,
    by_name: dict[str, FieldShape],
    seen: dict[str, syntax.Identifier],
    meant: set[str],
    what: str,
) -> FieldShape | None:
    """The field that an argument is for; None, with a report, when there is none.

    `meant` collects the fields that a faulty argument was for, so that they are not missing too.
    """
    name = argument.name
    if name is None:
        _unnamed(context, argument, by_name, meant, what)
        return None
    if name.text in seen:
        also = (Note(seen[name.text].at, "given here first"),)
        context.report(
            "F204", f"`{name.text}` is given twice", name.at, "again", "keep one of them", also
        )
        return None
    seen[name.text] = name
    if name.text not in by_name:
        open_fields = [f for f in by_name if f not in seen]
        meant.add(closest(name.text, open_fields) or "")
        help = did_you_mean(name.text, open_fields, one_of(open_fields, "remove it"))
        context.report("F204", f"`{what}` has no `{name.text}`", name.at, "unknown", help)
    return by_name.get(name.text)


def _unnamed(
    context: Context,
    argument: syntax.Argument,
    by_name: dict[str, FieldShape],
    meant: set[str],
    what: str,
) -> None:
    first_time = not set(by_name) <= meant or not by_name
    if first_time:
        help = f"write `{next(iter(by_name))}: …`" if by_name else "remove it"
        message = f"the arguments of `{what}` are named"
        context.report("F204", message, argument.value.at, "without a name", help)
    meant.update(by_name)


def _fill(
    context: Context,
    fields: Sequence[FieldShape],
    nodes: dict[str, Node],
    meant: set[str],
    at: Span,
    what: str,
) -> None:
    """Adds what may be left out, and reports what may not."""
    missing = []
    for field in fields:
        if field.name in nodes:
            continue
        if field.default is not None:
            nodes[field.name] = field.default
        elif isinstance(field.type, Optional):
            nodes[field.name] = Const(type=field.type, value=None)
        elif field.name not in meant:
            missing.append(field)
    if missing:
        names = " and ".join(f"`{f.name}`" for f in missing)
        first = f"{missing[0].name}: …"
        message, label = f"`{what}` is missing {names}", f"`{missing[0].name}: {missing[0].type}`"
        context.report("F203", message, at, f"needs {label}", f"add `{first}`")
