"""Loops: `while`, `for` and what it yields."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from dsl import syntax
from dsl.cel.narrowing import NOTHING, Present, narrowed
from dsl.check.block import Block, place
from dsl.model import ForModel, WhileModel, YieldModel
from dsl.source import Span
from dsl.types import ANY, BOOL, ListOf, Optional, Type, assignable


class Looped(NamedTuple):
    """A `while`, whether it never ends by itself, and what is known not to be null after it."""

    model: WhileModel
    ends: bool
    known: Present


def check_while(statement: syntax.While, block: Block) -> Looped:
    """`while condition { }`."""
    again = block.forgetting(statement.body.at)
    condition = again.expression(statement.condition, BOOL)
    sound = not condition.diagnostics
    yes, no = (narrowed(statement.condition, h) if sound else NOTHING for h in (True, False))
    body, _ = again.inner(*yes).check(statement.body)
    model = WhileModel(
        condition=condition.node,
        text=statement.condition.at.text,
        body=body,
        place=place(statement.at),
    )
    always = isinstance(statement.condition, syntax.Literal) and statement.condition.value is True
    return Looped(model, always, no)


def check_for(
    statement: syntax.For, block: Block, collect: syntax.Identifier | None = None
) -> tuple[ForModel, Type]:
    """`for v in items { }`; with `collect` its yields become a list of that name, of the type
    that is given back."""
    items = block.expression(statement.items)
    item: Type = ANY
    match items.type:
        case ListOf(found):
            item = found
        case Optional(ListOf(found)):
            item = found
            block.maybe_null(statement.items, items.type)
        case _ if items.type is not ANY:
            message = f"a `{items.type}` has nothing to go through"
            help = "a `for` goes through a list"
            block.saga.report.add("F201", message, statement.items.at, "not a list", help)
    if statement.at_most is not None and statement.at_most < 1:
        message, help = "`parallel` needs at least 1", "say how many may run at once"
        at = _trimmed(Span(statement.at.source, statement.items.at.end, statement.body.at.start))
        block.saga.report.add("F211", message, at, f"{statement.at_most} at once", help)
    yields: list[Type] | None = [] if collect else None
    again = block.forgetting(statement.body.at)
    if statement.at_most is not None:
        again = replace(
            again.beside(block.saga.contents.changed(statement.body.at)), in_branch=True
        )
    inside = replace(again.inner(), yields=yields)
    inside.declare(statement.name, item)
    body, _ = inside.check(statement.body)
    inside.unused(statement.name)
    if collect and not block.saga.contents.within(statement.body.at, syntax.Yield):
        message = f"nothing is yielded for `{collect.text}`"
        help = "add `yield …`, or write the `for` without `let`"
        block.saga.report.add("F316", message, collect.at, "stays empty", help)
    model = ForModel(
        name=statement.name.text,
        items=items.node,
        text=statement.items.at.text,
        at_most=statement.at_most,
        body=body,
        collect=collect.text if collect else None,
        place=place(statement.at),
    )
    return model, ListOf(yields[0] if yields else ANY)


def _trimmed(at: Span) -> Span:
    """A span without the white space around it."""
    text = at.text
    start = at.start + len(text) - len(text.lstrip())
    return Span(at.source, start, start + len(text.strip()))


def check_yield(statement: syntax.Yield, block: Block) -> YieldModel:
    """`yield value`."""
    expected = block.yields[0] if block.yields else None
    value = block.expression(statement.value, expected)
    if block.yields is None:
        message = "nothing collects this value"
        help = "`yield` stands in the `for` of `let xs = for …`"
        block.saga.report.add("F316", message, statement.at, "goes nowhere", help)
    elif expected is None or not assignable(value.type, expected):
        block.yields.append(value.type)
    return YieldModel(value=value.node, place=place(statement.at))
