"""Imports that nothing uses, and imports that are missing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dsl import syntax
from dsl.check.edits import removed
from dsl.check.names import Module
from dsl.check.report import Report
from dsl.diagnostic import Edit, has_errors
from dsl.source import Span


class Offer(NamedTuple):
    """How to come by a name that another module declares; empty when none or several do."""

    help: str = ""
    fix: tuple[Edit, ...] = ()


def offer(name: str, kind: type[syntax.Declaration] | tuple[type, ...], module: Module) -> Offer:
    """The import of a declaration of that kind."""
    homes = [
        other
        for other in module.others.values()
        if other is not module
        and (symbol := other.own.get(name))
        and isinstance(symbol.declaration, kind)
    ]
    if len(homes) != 1 or module.find(name):
        return Offer()
    home = homes[0].name
    return Offer(f"import it: `from {home} import {name}`", (_import(name, home, module),))


def _import(name: str, home: str, module: Module) -> Edit:
    file = module.file
    for statement in file.imports:
        if statement.module.text == home:
            return Edit(_behind(statement.names[-1].at), f", {name}")
    if file.imports:
        return Edit(_behind(file.imports[-1].at), f"\nfrom {home} import {name}")
    assert file.module
    return Edit(_behind(file.module.at), f"\n\nfrom {home} import {name}")


def _behind(at: Span) -> Span:
    return Span(at.source, at.end, at.end)


def check_imports(modules: Iterable[Module], report: Report) -> None:
    """Warns of imported names that nothing in their file uses. A word counts as a use wherever it
    stands; with an error in the file, it is not known what was meant."""
    wrong = {d.at.source.path for d in report.diagnostics if has_errors((d,))}
    for module in modules:
        if module.file.source.path not in wrong:
            _check(module, report)


def _check(module: Module, report: Report) -> None:
    for statement in module.file.imports:
        unused = [n for n in statement.names if not _used(n.text, module)]
        for name in unused:
            alone = len(unused) == len(statement.names)
            fix = removed(statement.at) if alone else _without(name, statement)
            if alone and name is not unused[0]:
                fix = ()
            message = f"nothing uses `{name.text}`"
            report.warn("F106", message, name.at, "imported for nothing", "remove it", fix)


def _used(name: str, module: Module) -> bool:
    words = module.file.words
    symbol = module.imported.get(name)
    if name in words or symbol is None:
        return True
    match symbol.declaration:
        case syntax.EnumDecl(symbols=symbols):  # which may be written alone
            return any(s.text in words for s in symbols)
        case syntax.SagaDecl():  # which a scenario runs on an event
            return bool(module.file.scenarios)
    return False


def _without(name: syntax.Identifier, statement: syntax.ImportDecl) -> tuple[Edit, ...]:
    """The statement without one of its names and the comma beside it."""
    place = statement.names.index(name)
    source = name.at.source
    if place:
        return (Edit(Span(source, statement.names[place - 1].at.end, name.at.end), ""),)
    return (Edit(Span(source, name.at.start, statement.names[1].at.start), ""),)
