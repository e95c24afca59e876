"""Records, enums and the payloads of messages."""

from __future__ import annotations

from dsl import syntax
from dsl.cel.check import check
from dsl.cel.scope import FieldShape
from dsl.check.circles import circles
from dsl.check.names import Module
from dsl.check.report import Report
from dsl.check.scope import LocalScope, ModuleScope, Variable
from dsl.check.types import TypeResolver
from dsl.diagnostic import Note
from dsl.model import EnumModel, FieldModel, RecordModel
from dsl.types import BOOL, Named

#: What a record or message is made of, by qualified name.
Payloads = dict[str, tuple[Module, tuple[syntax.FieldDecl, ...], str]]


class Data:
    """Makes record models on demand, so that a default may build another record."""

    def __init__(self, modules: dict[str, Module], types: TypeResolver, report: Report) -> None:
        self._modules = modules
        self._types = types
        self._report = report
        self._payloads = payloads(modules)
        self._states = states(modules)
        self._payloads |= self._states
        self._models: dict[str, RecordModel] = {}
        self._open: dict[str, tuple[FieldShape, ...]] = {}

    @property
    def declared(self) -> dict[str, tuple[syntax.FieldDecl, ...]]:
        """The fields of every record and message as they are written, by qualified name."""
        return {name: fields for name, (_, fields, _) in self._payloads.items()}

    def scope(self, module: Module) -> ModuleScope:
        """What an expression of this file sees."""
        return ModuleScope(module, self._modules, self.shape)

    def shape(self, qualified: str) -> tuple[FieldShape, ...] | None:
        """The fields of a record or message, for the expression checker."""
        if qualified in self._open:
            return self._open[qualified]
        if qualified not in self._payloads:
            return None
        return tuple(FieldShape(f.name, f.type, f.default) for f in self.record(qualified).fields)

    def record(self, qualified: str) -> RecordModel:
        """The model of a record or message. Raises KeyError for an unknown one."""
        if qualified not in self._models:
            module, fields, doc = self._payloads[qualified]
            self._models[qualified] = self._record(qualified, module, fields, doc)
        return self._models[qualified]

    def records(self, module: Module) -> tuple[RecordModel, ...]:
        """All that a module declares, messages included; what aggregates and projections keep
        is none of its own."""
        return tuple(
            self.record(name)
            for name, (owner, _, _) in self._payloads.items()
            if owner is module and name not in self._states
        )

    def check_finite(self) -> None:
        """Reports records that need a value of their own kind: nobody can build the first one."""
        needs = {name: self._needed(name) for name in self._payloads}
        rank = {name: n for n, name in enumerate(needs)}
        for group in circles({n: tuple(fields) for n, fields in needs.items()}):
            name = min(group, key=rank.__getitem__)
            field = next(f for other, f in needs[name].items() if other in group)
            message = f"`{name.rpartition('.')[2]}` is made of itself"
            help = f"make it optional: `{field.type.at.text}?`"
            self._report.add("F107", message, field.type.at, "leads back to it", help)

    def _needed(self, name: str) -> dict[str, syntax.FieldDecl]:
        """The records that a record cannot be without, and the field that says so."""
        fields = {f.name.text: f for f in reversed(self._payloads[name][1])}
        return {
            f.type.name: fields[f.name]
            for f in self.record(name).fields
            if isinstance(f.type, Named) and f.type.name in self._payloads
        }

    def _record(
        self, name: str, module: Module, fields: tuple[syntax.FieldDecl, ...], doc: str
    ) -> RecordModel:
        fields = self._distinct(fields)
        typed = [(f, self._types.resolve(f.type, module)) for f in fields]
        self._open[name] = tuple(FieldShape(f.name.text, t) for f, t in typed)
        inside = LocalScope(self.scope(module))
        inside.variables = {f.name.text: Variable(t, f.name.at) for f, t in typed}
        models = []
        for f, t in typed:
            default = constraint = None
            if f.default is not None:
                checked = check(f.default, self.scope(module), t)
                self._report.extend(checked.diagnostics)
                default = checked.node
            if f.constraint is not None:
                checked = check(f.constraint, inside, BOOL)
                self._report.extend(checked.diagnostics)
                constraint = checked.node
            models.append(
                FieldModel(
                    name=f.name.text,
                    type=t,
                    number=f.number.value if f.number else None,
                    default=default,
                    constraint=constraint,
                    constraint_text=f.constraint.at.text if f.constraint else "",
                    doc=f.doc,
                )
            )
        del self._open[name]
        return RecordModel(name=name, fields=tuple(models), doc=doc)

    def _distinct(self, fields: tuple[syntax.FieldDecl, ...]) -> tuple[syntax.FieldDecl, ...]:
        seen: dict[str, syntax.FieldDecl] = {}
        for f in fields:
            if first := seen.get(f.name.text):
                also = (Note(first.name.at, "the first one"),)
                message, help = f"`{f.name.text}` is declared twice", "rename one of them"
                self._report.add("F102", message, f.name.at, "again", help, also)
            else:
                seen[f.name.text] = f
        return tuple(seen.values())


def payloads(modules: dict[str, Module]) -> Payloads:
    """Every record, command, event and input of a saga with its fields."""
    found: Payloads = {}
    for module in modules.values():
        for symbol in module.own.values():
            declaration = symbol.declaration
            if isinstance(declaration, syntax.RecordDecl):
                found[symbol.name] = (module, declaration.fields, declaration.doc)
            elif isinstance(declaration, syntax.ServiceDecl):
                for message in declaration.messages:
                    name = f"{symbol.name}.{message.name.text}"
                    found.setdefault(name, (module, message.fields, message.doc))
            elif isinstance(declaration, syntax.SagaDecl):
                for input in declaration.inputs:
                    if isinstance(input, syntax.QueryDecl):
                        continue  # it is sent nothing
                    name = f"{symbol.name}.{input.name.text}"
                    found.setdefault(name, (module, input.fields, input.doc))
    return found


def states(modules: dict[str, Module]) -> Payloads:
    """Every aggregate and projection with its fields."""
    return {
        symbol.name: (module, declared.fields, declared.doc)
        for module in modules.values()
        for symbol in module.own.values()
        if isinstance(declared := symbol.declaration, syntax.AggregateDecl | syntax.ProjectionDecl)
    }


def enums(module: Module, report: Report) -> tuple[EnumModel, ...]:
    """The enums that a module declares."""
    found = []
    for symbol in module.own.values():
        if isinstance(symbol.declaration, syntax.EnumDecl):
            names: dict[str, syntax.Identifier] = {}
            for s in symbol.declaration.symbols:
                first = names.setdefault(s.text, s)
                if first is not s:
                    also = (Note(first.at, "the first one"),)
                    message, help = f"`{s.text}` is declared twice", "remove one of them"
                    report.add("F102", message, s.at, "again", help, also)
            doc = symbol.declaration.doc
            found.append(EnumModel(name=symbol.name, symbols=tuple(names), doc=doc))
    return tuple(found)
