"""What each module declares and imports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from dsl import syntax
from dsl.check.report import Report, did_you_mean
from dsl.diagnostic import Note


class Symbol(msgspec.Struct, frozen=True):
    """A top-level declaration and the module that owns it."""

    module: str
    declaration: syntax.Declaration

    @property
    def name(self) -> str:
        """Its qualified name."""
        return f"{self.module}.{self.declaration.name.text}"


@dataclass(slots=True)
class Module:
    """One file's names: its own and the imported ones. `others` are all modules there are."""

    name: str
    file: syntax.File
    own: dict[str, Symbol] = field(default_factory=dict)
    imported: dict[str, Symbol] = field(default_factory=dict)
    others: Mapping[str, Module] = field(default_factory=dict, repr=False)

    def find(self, name: str) -> Symbol | None:
        """What a bare name means in this file."""
        return self.own.get(name) or self.imported.get(name)

    @property
    def visible(self) -> dict[str, Symbol]:
        """Every name that may be used here."""
        return {**self.imported, **self.own}

    def names_of(self, kind: type[syntax.Declaration]) -> list[str]:
        """The names in sight that stand for one kind of declaration."""
        return [n for n, s in self.visible.items() if isinstance(s.declaration, kind)]


def collect(files: Iterable[syntax.File], report: Report) -> dict[str, Module]:
    """The modules by name, with their imports bound."""
    modules: dict[str, Module] = {}
    for file in files:
        if module := _declare(file, modules, report):
            modules[module.name] = module
    for module in modules.values():
        module.others = modules
        _apart(module, modules, report)
        for statement in module.file.imports:
            _import(module, statement, modules, report)
    return modules


def _apart(module: Module, modules: dict[str, Module], report: Report) -> None:
    """A service or a saga `a.b` of module `a` would give its messages the names that module `a.b`
    gives."""
    outer, _, last = module.name.rpartition(".")
    clash = modules[outer].own.get(last) if outer in modules else None
    owner = {syntax.ServiceDecl: "service", syntax.SagaDecl: "saga"}
    what = owner.get(type(clash.declaration)) if clash else None
    if clash and what and module.file.module:
        also = (Note(clash.declaration.name.at, f"the {what}"),)
        message, help = f"`{module.name}` is a {what} and a module", "rename one of them"
        report.add("F102", message, module.file.module.at, "the module", help, also)


def _declare(file: syntax.File, modules: dict[str, Module], report: Report) -> Module | None:
    if file.module is None:
        if file.declarations:
            at = file.declarations[0].name.at
            message, help = "the file has no `module` line", "begin it with `module name`"
            report.add("F306", message, at, "the first declaration", help)
        return None
    if other := modules.get(file.module.text):
        assert other.file.module
        also = (Note(other.file.module.at, "the first one"),)
        message = f"a second file for module `{file.module.text}`"
        help = "one file is one module: rename one of them"
        report.add("F102", message, file.module.at, "declared again", help, also)
        return None
    module = Module(file.module.text, file)
    for declaration in file:
        name = declaration.name
        if first := module.own.get(name.text):
            also = (Note(first.declaration.name.at, "the first one"),)
            message, help = f"`{name.text}` is declared twice", "rename one of them"
            report.add("F102", message, name.at, "again", help, also)
        else:
            module.own[name.text] = Symbol(module.name, declaration)
    return module


def _import(
    module: Module, statement: syntax.ImportDecl, modules: dict[str, Module], report: Report
) -> None:
    wanted = statement.module
    source = modules.get(wanted.text)
    if source is None:
        help = did_you_mean(wanted.text, modules) or (
            "modules are looked for in the given files and the folders they stand in"
        )
        report.add("F103", f"no module `{wanted.text}`", wanted.at, "not found", help)
        return
    for name in statement.names:
        symbol = source.own.get(name.text)
        if symbol is None:
            help = did_you_mean(name.text, source.own)
            message = f"`{wanted.text}` declares no `{name.text}`"
            report.add("F105", message, name.at, "not declared there", help)
        elif clash := module.find(name.text):
            also = (Note(clash.declaration.name.at, "declared here"),)
            again = clash is symbol and name.text in module.imported
            message = f"`{name.text}` is {'imported' if again else 'declared'} twice"
            help = "import it once" if again else "rename the one that is declared here"
            report.add("F102", message, name.at, "imported here", help, () if again else also)
        else:
            module.imported[name.text] = symbol
