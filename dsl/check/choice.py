"""Choices: `if` and `match`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dsl import syntax
from dsl.cel.narrowing import NOTHING, Present, narrowed
from dsl.check import edits
from dsl.check.block import Block, Checked, place
from dsl.check.report import did_you_mean
from dsl.depth import DEEPEST_BLOCK
from dsl.diagnostic import Note
from dsl.model import CaseModel, IfModel, MatchModel, wire_type
from dsl.types import ANY, BOOL, Named, OneOf, Optional, Type


class Chosen(NamedTuple):
    """A choice (None when it cannot be made), whether every way of it ends the saga, and what is
    known not to be null after it."""

    model: IfModel | MatchModel | None
    ends: bool
    known: Present = NOTHING


def check_if(statement: syntax.If, block: Block) -> Chosen:
    """`if … else if … else`."""
    condition = block.expression(statement.condition, BOOL)
    sound = not condition.diagnostics
    yes, no = (narrowed(statement.condition, h) if sound else NOTHING for h in (True, False))
    then = block.inner(*yes).check(statement.then)
    match statement.otherwise:
        case None:
            otherwise = Checked((), False)
        case syntax.Block():
            otherwise = block.inner(*no).check(statement.otherwise)
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
    known: Present = NOTHING
    if then.ends:
        other = statement.otherwise
        changed = block.saga.contents.changed(other.at) if other else frozenset[str]()
        known = frozenset(p for p in no if p[0] not in changed)
    elif otherwise.ends:
        changed = block.saga.contents.changed(statement.then.at)
        known = frozenset(p for p in yes if p[0] not in changed)
    return Chosen(model, then.ends and otherwise.ends, known)


def _else_if(statement: syntax.If, inside: Block) -> Checked:
    if inside.depth > DEEPEST_BLOCK:
        return inside.check(statement.then)  # which refuses it
    nested = check_if(statement, inside)
    return Checked((nested.model,) if isinstance(nested.model, IfModel) else (), nested.ends)


def check_match(statement: syntax.Match, block: Block) -> Chosen:
    """`match` on what a command replied, or on an enum; every possibility has its case."""
    subject = block.expression(statement.subject)
    type = subject.type
    if isinstance(type, Optional):
        block.maybe_null(statement.subject, type)
        type = type.of
    possible = _possible(type, block)
    if possible is None:
        if type is not ANY:
            message = f"a `{type}` has no cases to match"
            help = "match a command's reply, or an enum; else use `if`"
            block.saga.report.add("F201", message, statement.subject.at, "not one of several", help)
        return Chosen(None, False)
    cases, ends = [], []
    seen: dict[str, syntax.Case] = {}
    for case in statement.cases:
        checked = _case(case, possible, seen, block)
        if checked is not None:
            cases.append(checked[0])
            ends.append(checked[1])
    otherwise = block.inner().check(statement.otherwise) if statement.otherwise else None
    missing = [name for name in possible.names if name not in seen]
    # A case that was refused was perhaps meant for one of them, and is reported already.
    if missing and otherwise is None and len(cases) == len(statement.cases):
        words = ", ".join(f"`{_word(name)}`" for name in missing)
        at = statement.subject.at
        message, help = f"nothing is said for {words}", "add a `case` for each, or `else { … }`"
        fix = () if block.forward else edits.further_items(statement.at, _stubs(missing))
        block.saga.report.add("F314", message, at, "may be that, too", help, fix=fix)
    if statement.otherwise and not missing:
        message, help = "this `else` is never reached", "remove it"
        at = statement.otherwise.at
        fix = edits.removed_with("else", at)
        block.saga.report.add("F307", message, at, "every possibility has its case", help, fix=fix)
    model = MatchModel(
        subject=subject.node,
        text=statement.subject.at.text,
        cases=tuple(cases),
        otherwise=otherwise.body if otherwise else None,
        place=place(statement.at),
    )
    complete = not missing if otherwise is None else otherwise.ends
    return Chosen(model, complete and bool(ends or otherwise) and all(ends))


class _Possible(NamedTuple):
    """What a value may be, by qualified name; `enum` when that is a symbol."""

    names: tuple[str, ...]
    enum: bool = False


def _possible(type: Type, block: Block) -> _Possible | None:
    match type:
        case OneOf(names):
            return _Possible(names)
        case Named(name) if (symbols := block.scope.symbols(name)) is not None:
            return _Possible(tuple(f"{name}.{s}" for s in symbols), enum=True)
        case Named(name):
            return _Possible((name,))
    return None


def _word(qualified: str) -> str:
    return qualified.rpartition(".")[2]


def _stubs(missing: Sequence[str]) -> list[str]:
    """A case for each, which fails: what is to happen only a person can say."""
    words = [_word(name) for name in missing]
    return [
        f'case {word if words.count(word) == 1 else wire_type(name)} {{ fail "{word}" }}'
        for name, word in zip(missing, words, strict=True)
    ]


def _case(
    case: syntax.Case, possible: _Possible, seen: dict[str, syntax.Case], block: Block
) -> tuple[CaseModel, bool] | None:
    text, report = case.pattern.text, block.saga.report
    name = _meant(case.pattern, possible.names, block)
    if name is None:
        return None
    first = seen.setdefault(name, case)
    if first is not case:
        also = (Note(first.pattern.at, "said here first"),)
        message = f"a second case for `{text}`"
        report.add("F004", message, case.pattern.at, "said again", "keep one of them", also)
        return None
    inside = block.inner()
    if case.name and possible.enum:
        message, help = f"`{text}` carries nothing to name", "remove `as …`"
        fix = edits.removed_with("as", case.name.at)
        report.add("F305", message, case.name.at, "nothing to name", help, fix=fix)
    elif case.name:
        inside.declare(case.name, Named(name))
    body, ends = inside.check(case.body)
    inside.unused(case.name)
    as_name = case.name.text if case.name else None
    pattern = _word(name) if possible.enum else name
    return CaseModel(pattern=pattern, name=as_name, body=body), ends


def _meant(path: syntax.Path, possible: tuple[str, ...], block: Block) -> str | None:
    """The one possibility that the name of a case stands for."""
    found = [p for p in possible if f".{p}".endswith(f".{path.text}")]
    if len(found) == 1:
        return found[0]
    if found:
        names = " or ".join(f"`{wire_type(f)}`" for f in found)
        message, help = f"`{path.text}` may be {names}", "write the service's name before it"
        block.saga.report.add("F305", message, path.at, "which one?", help)
        return None
    known = [_word(p) for p in possible]
    message = f"it is never `{path.text}`"
    help = did_you_mean(path.parts[-1].text, known)
    help = help or ("it may be " + ", ".join(f"`{k}`" for k in known))
    block.saga.report.add("F305", message, path.at, "cannot happen", help)
    return None
