"""Statements: each becomes its model; every checker says whether the way goes on after it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from dsl import syntax
from dsl.cel.narrowing import Present, narrowed
from dsl.check.block import Block, place
from dsl.check.steps import check_step
from dsl.depth import DEEPEST_BLOCK
from dsl.diagnostic import Note
from dsl.model import (
    AwaitModel,
    BranchModel,
    EmitModel,
    FailModel,
    IfModel,
    LetModel,
    ParallelModel,
    ReturnModel,
    Statement,
)
from dsl.source import Span
from dsl.types import ANY, BOOL, DURATION, STRING, Named, optional


class Checked(NamedTuple):
    """The statements of a block, and whether every way through it ends there."""

    body: tuple[Statement, ...]
    ends: bool


class _One(NamedTuple):
    """A statement (None when it cannot be made), whether it ends the way, and what is known not
    to be null after it."""

    model: Statement | None
    ends: bool = False
    known: Present = frozenset()


def check_block(block: syntax.Block, inside: Block) -> Checked:
    """Checks the statements of a block in order; `inside` is the block's own scope."""
    if inside.depth > DEEPEST_BLOCK:
        return _too_deep(block, inside)
    models: list[Statement] = []
    ended = False
    for statement in block.statements:
        if ended:
            message = "this statement is never reached"
            help = "remove it, or let the saga go on before it"
            inside.saga.report.add("F307", message, statement.at, "the saga has ended", help)
            break
        model, ended, known = _check(statement, inside)
        inside = inside.knowing(known)
        if model is not None:
            models.append(model)
    inside.unused(*(s.name for s in block.statements if isinstance(s, syntax.Let | syntax.Await)))
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
            return _One(check_step(statement, block, check_block))
        case syntax.Let():
            return _One(_let(statement, block))
        case syntax.If():
            return _if(statement, block)
        case syntax.Parallel():
            return _parallel(statement, block)
        case syntax.Await():
            return _One(_await(statement, block))
        case syntax.Emit():
            return _One(_emit(statement, block))
        case syntax.Fail():
            reason = block.expression(statement.reason, STRING)
            text = statement.reason.at.text
            return _One(FailModel(reason=reason.node, text=text, place=place(statement.at)), True)
        case syntax.Return():
            # In a branch it is an error, and no reason to call what follows unreachable.
            return _One(_return(statement, block), not block.in_branch)


def _let(statement: syntax.Let, block: Block) -> LetModel:
    value = block.expression(statement.value)
    block.declare(statement.name, value.type)
    return LetModel(name=statement.name.text, value=value.node, place=place(statement.at))


def _if(statement: syntax.If, block: Block) -> _One:
    condition = block.expression(statement.condition, BOOL)
    sound = not condition.diagnostics
    yes, no = (narrowed(statement.condition, h) if sound else frozenset() for h in (True, False))
    then = check_block(statement.then, block.inner(*yes))
    match statement.otherwise:
        case None:
            otherwise = Checked((), False)
        case syntax.Block():
            otherwise = check_block(statement.otherwise, block.inner(*no))
        case syntax.If():
            otherwise = _else_if(statement.otherwise, block.inner(*no))
    model = IfModel(
        condition=condition.node,
        text=statement.condition.at.text,
        then=then.body,
        otherwise=otherwise.body,
        place=place(statement.at),
    )
    # Where one side ends the saga, the way on has seen the other side's condition.
    known: Present = no if then.ends else yes if otherwise.ends else frozenset()
    return _One(model, then.ends and otherwise.ends, known)


def _else_if(statement: syntax.If, inside: Block) -> Checked:
    if inside.depth > DEEPEST_BLOCK:
        return _too_deep(statement.then, inside)
    nested = _if(statement, inside)
    return Checked((nested.model,) if nested.model else (), nested.ends)


def _parallel(statement: syntax.Parallel, block: Block) -> _One:
    branches = []
    ends = False
    names: dict[str, syntax.Identifier] = {}
    for branch in statement.branches:
        first = names.setdefault(branch.name.text, branch.name)
        if first is not branch.name:
            also = (Note(first.at, "the first one"),)
            message, help = f"`{branch.name.text}` is declared twice", "rename one of them"
            block.saga.report.add("F102", message, branch.name.at, "again", help, also)
        inside = replace(block.inner(), in_branch=True)
        checked = check_block(branch.body, inside)
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


def _await(statement: syntax.Await, block: Block) -> AwaitModel | None:
    event = block.saga.messages.event(statement.event, block.saga.module)
    limit = block.expression(statement.within, DURATION) if statement.within else None
    on_timeout = _on_timeout(statement, block)
    if event is None:
        return None
    shape = {f.name: f for f in block.shape(event.name)}
    keyed = shape[event.key].type if event.key in shape else ANY
    if keyed != block.saga.key and ANY not in (keyed, block.saga.key):
        message = f"`{statement.event.text}` is keyed by `{keyed}`"
        label = f"the saga's key is `{block.saga.key}`"
        help = "an event finds its saga by an equal key: give both the same type"
        block.saga.report.add("F303", message, statement.event.at, label, help)
    inside = block.inner()
    if statement.name:
        inside.declare(statement.name, Named(event.name))
    condition = None
    if statement.condition:
        condition = inside.expression(statement.condition, BOOL).node
    if statement.name:
        used = statement.name.text in inside.scope.variables and (
            inside.scope.variables[statement.name.text].used
        )
        maybe = on_timeout is not None and not on_timeout.ends
        _bind(statement.name, event.name, maybe, used, block)
    return AwaitModel(
        event=event.name,
        name=statement.name.text if statement.name else None,
        condition=condition,
        text=statement.condition.at.text if statement.condition else "",
        within=limit.node if limit else None,
        on_timeout=on_timeout.body if on_timeout else None,
        place=place(statement.at),
    )


def _on_timeout(statement: syntax.Await, block: Block) -> Checked | None:
    """What an `await` does when its time is up."""
    report = block.saga.report
    found: Checked | None = None
    first: syntax.Handler | None = None
    for handler in statement.handlers:
        at = handler.failure.at
        if handler.failure.text != "timeout":
            message = f"an `await` cannot end with `{handler.failure.text}`"
            report.add("F305", message, at, "cannot happen", "handle `timeout`, or remove it")
        elif statement.within is None:
            message = "without `within` nothing times out here"
            report.add("F305", message, at, "cannot happen", "add `within …`")
        elif first is not None:
            also = (Note(first.failure.at, "said here first"),)
            message, help = "a second handler for `timeout`", "keep one of them"
            report.add("F004", message, at, "said again", help, also)
        else:
            first = handler
            if handler.name:
                message, help = "`timeout` carries nothing to name", "remove `as …`"
                report.add("F305", message, handler.name.at, "nothing to name", help)
            found = check_block(handler.body, block.inner())
    return found


def _bind(name: syntax.Identifier, event: str, maybe: bool, used: bool, block: Block) -> None:
    block.declare(name, optional(Named(event)) if maybe else Named(event))
    if name.text in block.scope.variables:
        block.scope.variables[name.text].used |= used


def _emit(statement: syntax.Emit, block: Block) -> EmitModel | None:
    event = block.saga.messages.event(statement.event.callee, block.saga.module)
    if event is None:
        return None
    arguments = block.arguments(statement.event, block.shape(event.name))
    return EmitModel(event=event.name, arguments=arguments, place=place(statement.at))


def _return(statement: syntax.Return, block: Block) -> ReturnModel:
    wanted = block.saga.result
    value = None
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
