"""Queries and updates: what is asked of a running saga, and changed in it, from outside.

Both are checked after the saga's body, in its outermost block: they see its parameters and every
name that is declared there, wherever that stands.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from dsl import syntax
from dsl.cel.check import Typed, check
from dsl.cel.narrowing import narrowed
from dsl.check.block import Block
from dsl.check.scope import Variable
from dsl.diagnostic import Diagnostic, Note
from dsl.model import QueryModel, SetModel, UpdateModel
from dsl.types import BOOL, Type


def check_queries(block: Block) -> Iterator[QueryModel]:
    """The queries of a saga; `block` is its outermost one, all of it checked."""
    saga = block.saga
    for query in saga.inputs.of(syntax.QueryDecl):
        type = saga.types.resolve(query.type, saga.module)
        value = _expression(query.value, type, block)
        yield QueryModel(name=query.name.text, type=type, value=value.node, doc=query.doc)


def check_updates(block: Block) -> Iterator[UpdateModel]:
    """The updates of a saga; `block` is its outermost one, all of it checked."""
    for update in block.saga.inputs.of(syntax.UpdateDecl):
        record = block.saga.inputs.payload(update)
        # Nothing happens between its condition and its sets.
        inside = replace(block.inner(), shared=frozenset())
        types = {f.name: f.type for f in block.shape(record)}
        for field in update.fields:
            name, type = field.name, types[field.name.text]
            if name.text not in inside.scope.variables:
                inside.declare(name, type)
                # One that is declared twice is reported: what reads it means the field.
                inside.scope.variables.setdefault(name.text, Variable(type, name.at, used=True))
        condition = None
        if update.condition:
            condition = _expression(update.condition, BOOL, inside).node
            inside = inside.knowing(narrowed(update.condition, True))
        body, _ = inside.check(syntax.Block(update.sets, update.at))
        inside.unused(*(f.name for f in update.fields))
        yield UpdateModel(
            name=update.name.text,
            record=record,
            condition=condition,
            text=update.condition.at.text if update.condition else "",
            sets=tuple(s for s in body if isinstance(s, SetModel)),
            doc=update.doc,
        )


def _expression(expr: syntax.Expr, type: Type, block: Block) -> Typed:
    """Checks an expression that reads the saga from outside."""
    typed = check(expr, block.scope, type, block.present)
    block.saga.report.extend(_explained(d, block) for d in typed.diagnostics)
    return typed


def _explained(diagnostic: Diagnostic, block: Block) -> Diagnostic:
    """Of a name that is not in sight because it is an inner block's, says so."""
    inner = block.saga.contents.named(diagnostic.at.text)
    if diagnostic.code != "F101" or inner is None:
        return diagnostic
    also = (Note(inner.at, "declared in an inner block"),)
    help = "declare it in the saga's outermost block, as a `var` that is set where it is known"
    return replace(diagnostic, help=help, also=also)
