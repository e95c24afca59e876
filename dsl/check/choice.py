"""Choices: `if` and `match`."""

from __future__ import annotations

from typing import NamedTuple

from dsl import syntax
from dsl.cel.narrowing import NOTHING, Present, narrowed
from dsl.check.block import Block, Checked, place
from dsl.check.report import did_you_mean
from dsl.depth import DEEPEST_BLOCK
from dsl.diagnostic import Note
from dsl.model import CaseModel, IfModel, MatchModel
from dsl.types import ANY, BOOL, Named, OneOf, Type


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
    known: Present = no if then.ends else yes if otherwise.ends else NOTHING
    return Chosen(model, then.ends and otherwise.ends, known)


def _else_if(statement: syntax.If, inside: Block) -> Checked:
    if inside.depth > DEEPEST_BLOCK:
        return inside.check(statement.then)  # which refuses it
    nested = check_if(statement, inside)
    return Checked((nested.model,) if isinstance(nested.model, IfModel) else (), nested.ends)


def check_match(statement: syntax.Match, block: Block) -> Chosen:
    """`match` on what a command replied, or on an enum; every possibility has its case."""
    subject = block.expression(statement.subject)
    possible = _possible(subject.type, block)
    if possible is None:
        if subject.type is not ANY:
            message = f"a `{subject.type}` has no cases to match"
            help = "match a command's reply, or an enum; else use `if`"
            block.saga.report.add("F201", message, statement.subject.at, "not one of several", help)
        return Chosen(None, False)
    cases, ends, seen = [], [], dict[str, syntax.Case]()
    for case in statement.cases:
        checked = _case(case, possible, seen, block)
        if checked is not None:
            cases.append(checked[0])
            ends.append(checked[1])
    otherwise = block.inner().check(statement.otherwise) if statement.otherwise else None
    missing = [word for word in possible if word not in seen]
    if missing and otherwise is None:
        words = ", ".join(f"`{w}`" for w in missing)
        at = statement.subject.at
        message, help = f"nothing is said for {words}", "add a `case` for each, or `else { … }`"
        block.saga.report.add("F314", message, at, "may be that, too", help)
    model = MatchModel(
        subject=subject.node,
        text=statement.subject.at.text,
        cases=tuple(cases),
        otherwise=otherwise.body if otherwise else None,
        place=place(statement.at),
    )
    return Chosen(model, all(ends) and (otherwise is None or otherwise.ends))


def _possible(type: Type, block: Block) -> dict[str, str] | None:
    """What a value may be: the words of the cases, with the qualified names of messages."""
    match type:
        case OneOf(names):
            return {n.rpartition(".")[2]: n for n in names}
        case Named(name) if (symbols := block.scope.symbols(name)) is not None:
            return {s: s for s in symbols}
        case Named(name):
            return {name.rpartition(".")[2]: name}
    return None


def _case(
    case: syntax.Case, possible: dict[str, str], seen: dict[str, syntax.Case], block: Block
) -> tuple[CaseModel, bool] | None:
    word, report = case.pattern.parts[-1].text, block.saga.report
    name = possible.get(word)
    if name is None or not f".{name}".endswith(f".{case.pattern.text}"):
        message = f"it is never `{case.pattern.text}`"
        help = did_you_mean(word, possible) or (
            "it may be " + ", ".join(f"`{w}`" for w in possible)
        )
        report.add("F305", message, case.pattern.at, "cannot happen", help)
        return None
    first = seen.setdefault(word, case)
    if first is not case:
        also = (Note(first.pattern.at, "said here first"),)
        message = f"a second case for `{word}`"
        report.add("F004", message, case.pattern.at, "said again", "keep one of them", also)
        return None
    inside = block.inner()
    if case.name and name == word:
        message, help = f"`{word}` carries nothing to name", "remove `as …`"
        report.add("F305", message, case.name.at, "nothing to name", help)
    elif case.name:
        inside.declare(case.name, Named(name))
    body, ends = inside.check(case.body)
    inside.unused(case.name)
    as_name = case.name.text if case.name else None
    return CaseModel(pattern=name, name=as_name, body=body), ends
