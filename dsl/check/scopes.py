"""`try`: a scope that is undone by itself when it fails."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import syntax
from dsl.check import edits
from dsl.check.block import Block, place
from dsl.check.callees import FAILED
from dsl.check.report import did_you_mean
from dsl.diagnostic import Note
from dsl.model import HandlerModel, TryModel, wire_type
from dsl.source import Span
from dsl.types import STRING, Named

_OUTCOMES = ("timeout", "exhausted")


def check_try(statement: syntax.Try, block: Block) -> tuple[TryModel, bool]:
    """The model, and whether every way through it ends the saga."""
    if block.forward:
        message = "there is no way back out of a `try` after the pivot"
        help = "handle each failure at its own step"
        at = Span(statement.at.source, statement.at.start, statement.at.start + len("try"))
        block.saga.report.add("F312", message, at, "nothing is undone here", help)
    body, body_ends = block.inner().check(statement.body)
    failures = list(dict.fromkeys(_failures(statement.body, block)))
    after = block.forgetting(statement.body.at)
    report = block.saga.report
    handlers: list[HandlerModel] = []
    ends = [body_ends]
    seen: dict[str, syntax.Handler] = {}
    for handler in statement.handlers:
        word = handler.failure.text
        plain = word in _OUTCOMES or word in failures
        failure = word if plain else _only(handler.failure, failures, block)
        if failure is None:
            continue
        first = seen.setdefault(failure, handler)
        if first is not handler:
            also = (Note(first.failure.at, "said here first"),)
            message = f"a second handler for `{word}`"
            at = handler.failure.at
            report.add("F004", message, at, "said again", "keep one of them", also)
            continue
        inside = after.inner()
        if handler.name and failure in _OUTCOMES:
            message, help = f"`{word}` carries nothing to name", "remove `as …`"
            fix = edits.removed_with("as", handler.name.at)
            report.add("F305", message, handler.name.at, "nothing to name", help, fix=fix)
        elif handler.name:
            inside.declare(handler.name, STRING if failure == FAILED else Named(failure))
        checked = inside.check(handler.body)
        inside.unused(handler.name)
        ends.append(checked.ends)
        name = handler.name.text if handler.name else None
        handlers.append(HandlerModel(failure=failure, name=name, body=checked.body))
    model = TryModel(body=body, handlers=tuple(handlers), place=place(statement.at))
    return model, all(ends)


def _only(path: syntax.Path, failures: list[str], block: Block) -> str | None:
    """The one failure that a handler's name means."""
    found = [f for f in failures if f.endswith(f".{path.text}")]
    if len(found) == 1:
        return found[0]
    report = block.saga.report
    if found:
        names = " or ".join(f"`{wire_type(f)}`" for f in found)
        message = f"`{path.text}` may be {names}"
        report.add("F305", message, path.at, "which one?", "write the service's name before it")
        return None
    known = [*(f.rpartition(".")[2] for f in failures), *_OUTCOMES]
    message = f"nothing in this `try` fails with `{path.text}`"
    help = did_you_mean(path.parts[-1].text, known) or (
        "it may fail with " + ", ".join(f"`{k}`" for k in known)
    )
    report.add("F305", message, path.at, "cannot happen", help)
    return None


def _failures(body: syntax.Block, block: Block) -> Iterator[str]:
    """The declared failures of all steps inside."""
    for step in block.saga.contents.within(body.at, syntax.Step):
        command = block.saga.messages.known_command(step.call.callee, block.saga.module)
        if command is not None:
            yield from command.fails
        symbol = block.saga.module.find(step.call.callee.text)
        if symbol and isinstance(symbol.declaration, syntax.SagaDecl):
            yield FAILED
