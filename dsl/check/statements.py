"""Statements: each becomes its model; every checker says whether the way goes on after it."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from msgspec.structs import replace

from dsl import syntax
from dsl.cel.narrowing import NOTHING, Present
from dsl.cel.observer import OBSERVER
from dsl.check.block import Block, Checked, place
from dsl.check.choice import check_if, check_match
from dsl.check.loops import check_for, check_while, check_yield
from dsl.check.report import did_you_mean
from dsl.check.scopes import check_try
from dsl.check.steps import check_step
from dsl.check.waits import check_await, check_race, check_sleep
from dsl.depth import DEEPEST_BLOCK
from dsl.diagnostic import Note
from dsl.model import (
    BranchModel,
    Delivery,
    EmitModel,
    FailModel,
    ForModel,
    LetModel,
    ParallelModel,
    ReturnModel,
    SetModel,
    Statement,
)
from dsl.source import Span
from dsl.types import ANY, NULL, STRING, Optional, Type


class _One(NamedTuple):
    """A statement (None when it cannot be made), whether it ends the way, and what is known not
    to be null after it."""

    model: Statement | None
    ends: bool = False
    known: Present = NOTHING


def check_block(block: syntax.Block, inside: Block) -> Checked:
    """Checks the statements of a block in order; `inside` is the block's own scope."""
    if observer := OBSERVER.get():
        observer.blocks.append((block.at, inside.scope))
    if inside.depth > DEEPEST_BLOCK:
        return _too_deep(block, inside)
    models: list[Statement] = []
    ended = False
    for statement in block.statements:
        if ended:
            message = "this statement is never reached"
            help = "remove it, or let the saga go on before it"
            inside.saga.report.add("F307", message, statement.at, "nothing leads here", help)
            break
        model, ended, known = _check(statement, inside)
        inside = inside.forgetting(statement.at).knowing(known)
        if isinstance(statement, syntax.Step) and statement.pivot:
            inside = replace(inside, forward=True)
        if model is not None:
            models.append(model)
    inside.unused(
        *(s.name for s in block.statements if isinstance(s, syntax.Let | syntax.Var | syntax.Await))
    )
    return Checked(tuple(models), ended)


def _too_deep(block: syntax.Block, inside: Block) -> Checked:
    """Refuses what stands deeper than a flow may; what is inside is not looked at."""
    at = Span(block.at.source, block.at.start, block.at.start + 1)
    message = f"more than {DEEPEST_BLOCK} blocks inside one another"
    help = "move an inner part into a saga of its own"
    inside.saga.report.add("F003", message, at, "too deep", help)
    return Checked((), False)


def _check(statement: syntax.Statement, block: Block) -> _One:
    match statement:
        case syntax.Step():
            return _step(statement, block)
        case syntax.Let():
            return _One(_let(statement, block))
        case syntax.Var():
            return _var(statement, block)
        case syntax.Set():
            return _set(statement, block)
        case syntax.If():
            return _One(*check_if(statement, block))
        case syntax.Match():
            return _One(*check_match(statement, block))
        case syntax.While():
            return _One(*check_while(statement, block))
        case syntax.For():
            return _One(check_for(statement, block)[0])
        case syntax.Yield():
            return _One(check_yield(statement, block), True)
        case syntax.Parallel():
            return _parallel(statement, block)
        case syntax.Race():
            return _One(*check_race(statement, block))
        case syntax.Await():
            return _One(check_await(statement, block))
        case syntax.Sleep():
            return _One(check_sleep(statement, block))
        case syntax.Try():
            return _One(*check_try(statement, block))
        case syntax.Emit():
            return _One(_emit(statement, block))
        case syntax.Fail():
            return _One(_fail(statement, block), not block.undoing)
        case syntax.Return():
            # In a branch it is an error, and no reason to call what follows unreachable.
            return _One(_return(statement, block), not (block.in_branch or block.undoing))


def _step(statement: syntax.Step, block: Block) -> _One:
    if statement.pivot and block.undoing:
        _not_undoing(
            "a pivot in an undo", "a pivot stands in the saga's own course", statement, block
        )
    elif statement.pivot and (block.depth > 0 or block.forward):
        message = "a second pivot" if block.forward else "a pivot inside a block"
        help = "a saga has one pivot at most, in its own course"
        block.saga.report.add("F313", message, statement.name.at, "not here", help)
    return _One(check_step(statement, block))


def _not_undoing(
    message: str, help: str, statement: syntax.Step | syntax.Fail | syntax.Return, block: Block
) -> None:
    """Refuses what ends a saga, or its way, in what is done on the way back."""
    at = statement.name.at if isinstance(statement, syntax.Step) else statement.at
    block.saga.report.add("F331", message, at, "in an undo", help)


def _let(statement: syntax.Let, block: Block) -> LetModel | ForModel:
    if isinstance(statement.value, syntax.For):
        loop, type = check_for(statement.value, block, statement.name)
        block.declare(statement.name, type)
        return loop
    value = block.expression(statement.value)
    block.declare(statement.name, value.type)
    return LetModel(name=statement.name.text, value=value.node, place=place(statement.at))


def _var(statement: syntax.Var, block: Block) -> _One:
    wanted = None
    if statement.type:
        wanted = block.saga.types.resolve(statement.type, block.saga.module)
    value = block.expression(statement.value, wanted)
    if wanted is None and value.type is NULL:
        message = f"`{statement.name.text}` could never be anything but null"
        help = f"say its type: `var {statement.name.text}: T? = null`"
        block.saga.report.add("F201", message, statement.value.at, "no type to be told", help)
    block.declare(statement.name, wanted or value.type, variable=True)
    model = LetModel(name=statement.name.text, value=value.node, place=place(statement.at))
    return _One(model, known=_holds(statement.name, value.type))


def _holds(name: syntax.Identifier, type: Type) -> Present:
    """What is known of a variable that has got a value of this type."""
    maybe = isinstance(type, Optional) or type in (NULL, ANY)
    return NOTHING if maybe else frozenset({(name.text,)})


def _set(statement: syntax.Set, block: Block) -> _One:
    name, report = statement.name, block.saga.report
    variable = block.scope.find(name.text)
    value = block.expression(statement.value, variable.type if variable else None)
    if variable is None:
        help = did_you_mean(name.text, block.scope.names()) or f"declare it: `var {name.text} = …`"
        report.add("F101", f"no variable named `{name.text}`", name.at, "not declared", help)
        return _One(None)
    if not variable.variable:
        also = (Note(variable.at, "declared here"),)
        message, help = f"`{name.text}` is no variable", "declare it with `var`"
        report.add("F315", message, name.at, "cannot be set", help, also)
    elif block.undoing and block.undoing.find(name.text):
        message, label = f"an undo cannot set `{name.text}`", "a copy, as it was at the step"
        report.add("F331", message, name.at, label, "declare a `var` in the undo")
    model = SetModel(name=name.text, value=value.node, place=place(statement.at))
    return _One(model, known=_holds(name, value.type))


def _fail(statement: syntax.Fail, block: Block) -> FailModel:
    if block.undoing:
        help = "remove it: what cannot be undone is parked for a person"
        _not_undoing("an undo cannot fail the saga", help, statement, block)
    elif block.forward:
        message = "the saga cannot fail after the pivot"
        help = "go on, or move this before the pivot"
        block.saga.report.add("F312", message, statement.at, "nothing is undone here", help)
    reason = block.expression(statement.reason, STRING)
    text = statement.reason.at.text
    return FailModel(reason=reason.node, text=text, place=place(statement.at))


def _parallel(statement: syntax.Parallel, block: Block) -> _One:
    branches = []
    ends = False
    names: dict[str, syntax.Identifier] = {}
    changed = [block.saga.contents.changed(b.body.at) for b in statement.branches]
    setters = Counter(name for own in changed for name in own)
    for branch, own in zip(statement.branches, changed, strict=True):
        first = names.setdefault(branch.name.text, branch.name)
        if first is not branch.name:
            also = (Note(first.at, "the first one"),)
            message, help = f"`{branch.name.text}` is declared twice", "rename one of them"
            block.saga.report.add("F102", message, branch.name.at, "again", help, also)
        others = frozenset(name for name, n in setters.items() if n > (name in own))
        inside = replace(block.beside(others).inner(), in_branch=True, yields=None)
        checked = inside.check(branch.body)
        ends = ends or checked.ends
        branches.append(BranchModel(name=branch.name.text, body=checked.body))
        # All branches have ended when the saga goes on, so what they named is there.
        for s in branch.body.statements:
            if not isinstance(s, syntax.Step):
                continue
            variable = inside.scope.variables.get(s.name.text)
            if variable and variable.at is s.name.at:
                block.declare(s.name, variable.type)
    return _One(ParallelModel(branches=tuple(branches), place=place(statement.at)), ends)


def _emit(statement: syntax.Emit, block: Block) -> EmitModel | None:
    event = block.saga.messages.event(statement.event.callee, block.saga.module)
    if event is None:
        return None
    arguments = block.arguments(statement.event, block.shape(event.name))
    once = event.delivery is Delivery.AT_MOST_ONCE
    return EmitModel(event=event.name, arguments=arguments, once=once, place=place(statement.at))


def _return(statement: syntax.Return, block: Block) -> ReturnModel:
    wanted = block.saga.result
    value = None
    if block.undoing:
        help = "let its block end, by `if … else …` where it has to"
        _not_undoing("an undo cannot return for the saga", help, statement, block)
        return ReturnModel(place=place(statement.at))
    if block.in_branch:
        message = "a branch cannot return for the whole saga"
        help = "let the branches end and return after the `parallel`"
        block.saga.report.add("F311", message, statement.at, "other branches run beside it", help)
    if statement.value is not None:
        if wanted is None:
            message, help = "this saga returns nothing", "declare its result with `-> T`"
            block.saga.report.add("F201", message, statement.value.at, "a result", help)
        value = block.expression(statement.value, wanted).node
    elif wanted is not None:
        message, help = "this `return` gives no result", f"return a `{wanted}`"
        block.saga.report.add("F308", message, statement.at, "nothing is returned", help)
    return ReturnModel(value=value, place=place(statement.at))
