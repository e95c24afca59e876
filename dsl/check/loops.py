"""Loops: `while`, `for` and what it yields."""

from __future__ import annotations

from dataclasses import replace

from dsl import syntax
from dsl.check.block import Block, place
from dsl.model import ForModel, WhileModel, YieldModel
from dsl.types import ANY, BOOL, ListOf, Type, assignable


def check_while(statement: syntax.While, block: Block) -> WhileModel:
    """`while condition { }`."""
    again = block.forgetting(statement.body)
    condition = again.expression(statement.condition, BOOL)
    body, _ = again.inner().check(statement.body)
    return WhileModel(
        condition=condition.node,
        text=statement.condition.at.text,
        body=body,
        place=place(statement.at),
    )


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
        case _ if items.type is not ANY:
            message = f"a `{items.type}` has nothing to go through"
            help = "a `for` goes through a list"
            block.saga.report.add("F201", message, statement.items.at, "not a list", help)
    if statement.at_most is not None and statement.at_most < 1:
        message, help = "`parallel` needs at least 1", "say how many may run at once"
        block.saga.report.add("F211", message, statement.at, f"{statement.at_most} at once", help)
    yields: list[Type] | None = [] if collect else None
    inside = replace(
        block.forgetting(statement.body).inner(),
        yields=yields,
        in_branch=block.in_branch or statement.at_most is not None,
    )
    inside.declare(statement.name, item)
    body, _ = inside.check(statement.body)
    inside.unused(statement.name)
    if collect and not yields:
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
