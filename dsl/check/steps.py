"""Steps: the call, its policy and its handlers."""

from __future__ import annotations

from msgspec.structs import replace

from dsl import syntax
from dsl.check import edits
from dsl.check.block import Block, place, reads
from dsl.check.callees import FAILED, Called
from dsl.check.policies import DEFAULT, longest
from dsl.check.promises import check_commands, check_once
from dsl.check.report import did_you_mean
from dsl.check.undos import call, check_undo
from dsl.diagnostic import Note
from dsl.duration import said
from dsl.model import Callee, HandlerModel, PolicyModel, Retry, StepModel
from dsl.types import STRING, Named, optional

#: What a handler may name besides the failures that the callee declares.
_OUTCOMES = ("timeout", "exhausted")


def check_step(step: syntax.Step, block: Block) -> StepModel | None:
    """The model of a step; its name is declared in `block` for what follows."""
    saga = block.saga
    called = saga.callees.find(step.call.callee, saga.module)
    if called is None:
        return None
    made = call(step.call, called, block)
    policy = _policy(step, called, block)
    if called.kind is not Callee.SAGA:
        _fits(step, policy, block)
    handlers, goes_on = _handlers(step, called, block)
    undone = check_undo(step, called, block)
    if block.forward:
        _cannot_fail(step, called, handlers, block)
    block.declare(step.name, optional(called.answer) if goes_on else called.answer)
    return StepModel(
        name=step.name.text,
        call=made,
        policy=policy,
        undo=undone.call,
        undo_policy=undone.policy,
        undo_body=undone.body,
        undoes_itself=undone.itself,
        undo_reads_reply=step.undo is not None and reads(step.undo, step.name.text),
        handlers=handlers,
        pivot=step.pivot,
        doc=step.doc,
        place=place(step.at),
    )


def _policy(step: syntax.Step, called: Called, block: Block) -> PolicyModel:
    if called.kind is Callee.SAGA:
        return _none(step, called, block)
    if step.policy:
        policy = block.saga.policies.find(step.policy, block.saga.module)
        check_commands(step.policy, policy, block.saga.report)
        if called.once:
            check_once(step.policy, policy, called.short, block.saga.report)
    else:
        policy = block.saga.policy or called.policy or DEFAULT
    # The retries of a whole saga or service are for what may be sent again.
    return replace(policy, retry=Retry()) if called.once else policy


def _none(step: syntax.Step, called: Called, block: Block) -> PolicyModel:
    """A saga has one call and takes its own time."""
    if step.policy:
        message, help = (
            f"`{called.short}` is a saga and has no attempts",
            "say `within` in its head",
        )
        fix = edits.removed_with("with", step.policy.at)
        block.saga.report.add("F333", message, step.policy.at, "no policy here", help, fix=fix)
    return DEFAULT


def _fits(step: syntax.Step, policy: PolicyModel, block: Block) -> None:
    """A step whose attempts take longer than the whole saga may can never use them all."""
    within, worst = block.saga.within, longest(policy)
    if within is None or worst <= within or block.forward:
        return
    at = step.policy.at if step.policy else step.name.at
    message = f"the attempts of `{step.name.text}` cannot fit in its saga"
    label = f"they may take {said(worst)}"
    help = f"allow fewer or shorter attempts, or the saga more than {said(within)}"
    block.saga.report.add("F309", message, at, label, help)


def _handlers(
    step: syntax.Step, called: Called, block: Block
) -> tuple[tuple[HandlerModel, ...], bool]:
    """The handlers, and whether the saga may go on after one of them."""
    outcomes = () if called.kind is Callee.SAGA else _OUTCOMES
    known = [name.rpartition(".")[2] for name in called.fails]
    models: list[HandlerModel] = []
    seen: dict[str, syntax.Handler] = {}
    goes_on = False
    for handler in step.handlers:
        word = handler.failure.text
        failure = _failure(word, called)
        if failure is None:
            message = f"`{step.call.callee.text}` does not fail with `{handler.failure.text}`"
            help = did_you_mean(word, [*known, *outcomes]) or "it fails with " + (
                ", ".join(f"`{k}`" for k in (*known, *outcomes))
            )
            block.saga.report.add("F305", message, handler.failure.at, "cannot happen", help)
            continue
        first = seen.setdefault(failure, handler)
        if first is not handler:
            also = (Note(first.failure.at, "said here first"),)
            message, help = f"a second handler for `{word}`", "keep one of them"
            block.saga.report.add("F004", message, handler.failure.at, "said again", help, also)
            continue
        inside = block.inner()
        if handler.name and failure in _OUTCOMES:
            message = f"`{word}` carries nothing to name"
            help = "remove `as …`"
            fix = edits.removed_with("as", handler.name.at)
            block.saga.report.add(
                "F305", message, handler.name.at, "nothing to name", help, fix=fix
            )
        elif handler.name:
            inside.declare(handler.name, STRING if failure == FAILED else Named(failure))
        body, ends = inside.check(handler.body)
        inside.unused(handler.name)
        goes_on = goes_on or not ends
        if step.pivot and not ends:
            message = "the saga goes on here although its pivot has failed"
            help = "end the handler with `fail` or `return`"
            block.saga.report.add("F313", message, handler.failure.at, "not passed then", help)
        name = handler.name.text if handler.name else None
        models.append(HandlerModel(failure=failure, name=name, body=body))
    return tuple(models), goes_on


def _cannot_fail(
    step: syntax.Step, called: Called, handlers: tuple[HandlerModel, ...], block: Block
) -> None:
    """After the pivot nothing is undone, so every declared failure has to be handled."""
    handled = {h.failure for h in handlers}
    for failure in called.fails:
        if failure not in handled:
            word = failure.rpartition(".")[2]
            how = "fail" if failure == FAILED else f"fail with `{word}`"
            message = f"`{step.name.text}` may {how} after the pivot"
            help = f"add `on {word} {{ … }}` and go on there"
            block.saga.report.add("F312", message, step.name.at, "nothing is undone here", help)


def _failure(word: str, called: Called) -> str | None:
    """The outcome that a handler's name stands for: `timeout`, `exhausted`, or a failure's
    qualified name, which may be written alone or after its service."""
    if word in _OUTCOMES and called.kind is not Callee.SAGA:
        return word
    return next((f for f in called.fails if f == word or f.endswith("." + word)), None)
