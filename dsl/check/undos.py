"""What undoes a step: a call, or a block of its own."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from dsl import syntax
from dsl.check import edits
from dsl.check.block import Block
from dsl.check.callees import Called
from dsl.check.contents import Contents
from dsl.check.policies import DEFAULT
from dsl.model import Callee, CallModel, PolicyModel, Statement


class Undone(NamedTuple):
    """What undoes a step: a call with its policy, or statements, or the called saga `itself`; none
    of them where nothing does."""

    call: CallModel | None = None
    policy: PolicyModel | None = None
    body: tuple[Statement, ...] | None = None
    itself: bool = False


def check_undo(step: syntax.Step, called: Called, block: Block) -> Undone:
    """The undo of a step that calls this."""
    report = block.saga.report
    if block.undoing and step.undo is not None:
        message, help = "nothing undoes what an undo does", "remove this `undo`"
        report.add("F331", message, step.undo.at, "in an undo", help)
        return Undone()
    if block.undoing:
        _can_undo(called, step.call, block)
        return Undone()
    if step.undo is None and called.kind is Callee.COMMAND and not block.forward:
        message = f"nothing undoes `{step.name.text}`"
        help = "add `undo service.Command(…)`, or `undo none` when there is nothing to undo"
        report.add("F301", message, step.name.at, "no `undo`", help)
    if step.undo is None or isinstance(step.undo, syntax.UndoNone):
        itself = called.kind is Callee.SAGA and step.undo is None and not block.forward
        return Undone(itself=itself)
    if block.forward:
        message, help = f"the undo of `{step.name.text}` never runs", "remove it"
        fix = edits.removed_with("undo", step.undo.at)
        report.add("F307", message, step.undo.at, "the pivot is passed", help, fix=fix)
    _reads_no_answer(step, called, block)
    inside = block.inner()
    inside.declare(step.name, called.answer)
    if isinstance(step.undo, syntax.Block):
        return Undone(body=_block(step.undo, inside))
    return _call(step.undo, inside)


def _call(undo: syntax.Invocation, inside: Block) -> Undone:
    called = inside.saga.callees.find(undo.callee, inside.saga.module)
    if called is None:
        return Undone()
    _can_undo(called, undo, inside)
    # A command's undo goes by its service's policy; a function has no owner but the saga.
    own = called.policy if called.kind is Callee.COMMAND else inside.saga.policy
    return Undone(call(undo, called, inside), own or DEFAULT)


def _can_undo(called: Called, invocation: syntax.Invocation, block: Block) -> None:
    """An undo that is tried again is repeated as it was: a saga has one run for each key, and what
    is delivered at most once is not sent again."""
    if called.kind is Callee.SAGA:
        message, help = "an undo cannot call a saga", f"do here what `{called.short}` does"
        label = "a saga"
    elif called.once:
        message = f"an undo cannot call `{called.short}`, which may get lost"
        help = "call a command that is delivered `at_least_once`"
        label = "delivered at most once"
    else:
        return
    block.saga.report.add("F331", message, invocation.callee.at, label, help)


def _reads_no_answer(step: syntax.Step, called: Called, block: Block) -> None:
    """Where an undo reads its step's answer, the command is sent again to learn one that did not
    come; what is delivered at most once is not."""
    if not called.once or step.undo is None:
        return
    names = (n for n in syntax.walk(step.undo) if isinstance(n, syntax.Name))
    answer = next((n for n in names if n.text == step.name.text), None)
    if answer is not None:
        message = f"the undo of `{step.name.text}` reads an answer that may never be known"
        label = f"`{called.short}` is delivered at most once"
        help = "undo it by what the saga knows, such as its key"
        block.saga.report.add("F331", message, answer.at, label, help)


def _block(undo: syntax.Block, inside: Block) -> tuple[Statement, ...]:
    """The statements of an undo: another time than the saga's, so neither its deadline nor what
    stands around it matter, and its names are copies."""
    saga = replace(inside.saga, contents=Contents(undo), within=None)
    within = replace(inside, saga=saga, undoing=inside.scope, forward=False, yields=None)
    return within.inner().check(undo).body


def call(invocation: syntax.Invocation, called: Called, block: Block) -> CallModel:
    """A call with its arguments."""
    arguments = block.arguments(invocation, called.fields)
    return CallModel(command=called.name, callee=called.kind, once=called.once, arguments=arguments)
