"""What an event makes of a state: when, and which fields get which values."""

from __future__ import annotations

from collections.abc import Sequence

from dsl import syntax
from dsl.cel.check import Typed, check
from dsl.cel.narrowing import NOTHING, Present, narrowed, without
from dsl.cel.nodes import Node
from dsl.check.block import place, reads
from dsl.check.data import Data
from dsl.check.names import Module
from dsl.check.report import Report, did_you_mean
from dsl.check.scope import LocalScope, Variable
from dsl.diagnostic import Note
from dsl.model import AssignModel, EventModel, FieldModel, ReactionModel
from dsl.suggestion import one_of
from dsl.types import ANY, BOOL, NULL, Named, Optional, Type

StateDecl = syntax.AggregateDecl | syntax.ProjectionDecl


class Reactions:
    """Checks the fields and the reactions of aggregates and projections."""

    def __init__(self, data: Data, report: Report) -> None:
        self._data = data
        self._report = report

    def begins(self, declared: StateDecl, fields: Sequence[FieldModel], key: str | None) -> None:
        """Every field needs a value before the first event has set it."""
        if not declared.reactions:
            message = f"nothing changes `{declared.name.text}`"
            help = "say what events make of it: `on service.Event as e { set … }`"
            self._report.add("F323", message, declared.name.at, "no `on`", help)
        names = {f.name.text: f.name for f in declared.fields}
        for field in fields:
            if field.name != key and field.default is None and not isinstance(field.type, Optional):
                name = names[field.name]
                message = f"`{field.name}` has no value to begin with"
                help = "give it a default, or make it optional with `?`"
                self._report.add("F322", message, name.at, "no default", help)

    def scope(
        self, module: Module, declared: StateDecl, fields: Sequence[FieldModel]
    ) -> LocalScope:
        """What the expressions of an aggregate or projection see besides the event."""
        scope = LocalScope(self._data.scope(module))
        at = {f.name.text: f.name.at for f in declared.fields}
        scope.variables = {
            f.name: Variable(f.type, at[f.name], variable=f.name != declared.key.text)
            for f in fields
        }
        return scope

    def reaction(
        self,
        reaction: syntax.Reaction,
        event: EventModel,
        state: LocalScope,
        declared: StateDecl,
        row: Node | None = None,
    ) -> ReactionModel:
        """The model of one reaction; `row` says which row of a projection it changes."""
        scope, name = LocalScope(state), reaction.name
        if name and (first := state.variables.get(name.text)):
            also = (Note(first.at, "the first one"),)
            message, help = f"`{name.text}` is declared twice", "choose another name"
            self._report.add("F102", message, name.at, "again", help, also)
        elif name:
            scope.variables[name.text] = Variable(Named(event.name), name.at)
        condition, known = None, NOTHING
        if reaction.condition is not None:
            typed = self.expression(reaction.condition, scope, BOOL)
            condition = typed.node
            known = NOTHING if typed.diagnostics else narrowed(reaction.condition, True)
        sets = self._sets(reaction, scope, known, declared)
        if name and not self._used(reaction, name.text, scope):
            message, help = f"nothing uses `{name.text}`", "remove it, or begin it with `_`"
            self._report.warn("F106", message, name.at, "never read", help)
        return ReactionModel(
            event=event.name,
            name=name.text if name else None,
            row=row,
            condition=condition,
            text=reaction.condition.at.text if reaction.condition else "",
            sets=sets,
            place=place(reaction.at),
        )

    def _used(self, reaction: syntax.Reaction, name: str, scope: LocalScope) -> bool:
        """Whether anything reads the event; one whose name is taken is reported already."""
        own = scope.variables.get(name)
        if own is None or own.used or name.startswith("_"):
            return True
        return reaction.row is not None and reads(reaction.row, name)

    def _sets(
        self, reaction: syntax.Reaction, scope: LocalScope, known: Present, declared: StateDecl
    ) -> tuple[AssignModel, ...]:
        """In order: each sees what those before it have set."""
        made: dict[str, syntax.Set] = {}
        found = []
        for statement in reaction.sets:
            name = statement.name
            target = scope.find(name.text)
            wanted = target.type if target else None
            value = self.expression(statement.value, scope, wanted, known)
            known = without(known, name.text)
            if not isinstance(value.type, Optional) and value.type not in (NULL, ANY):
                known |= {(name.text,)}
            if first := made.get(name.text):
                also = (Note(first.name.at, "set here first"),)
                message, help = f"a second value for `{name.text}`", "keep one of them"
                self._report.add("F004", message, name.at, "set again", help, also)
            elif self._settable(name, target, declared):
                made[name.text] = statement
                found.append(AssignModel(name=name.text, value=value.node))
        return tuple(found)

    def _settable(
        self, name: syntax.Identifier, target: Variable | None, declared: StateDecl
    ) -> bool:
        if target and target.variable:
            return True
        fields = [f.name.text for f in declared.fields if f.name.text != declared.key.text]
        if target is None:
            message = f"`{declared.name.text}` has no field `{name.text}`"
            help = did_you_mean(name.text, fields) or "declare it with a type and a default"
            self._report.add("F101", message, name.at, "not declared", help)
        else:
            key = name.text == declared.key.text
            label = "the key is for good" if key else "cannot be set"
            message = f"`{name.text}` is no field to set"
            help = did_you_mean(name.text, fields) or one_of(fields, "remove it")
            also = (Note(target.at, "declared here"),)
            self._report.add("F315", message, name.at, label, help, also)
        return False

    def expression(
        self, expr: syntax.Expr, scope: LocalScope, wanted: Type | None, known: Present = NOTHING
    ) -> Typed:
        """Checks an expression and reports what is wrong with it."""
        typed = check(expr, scope, wanted, known)
        self._report.extend(typed.diagnostics)
        return typed

    def field_type(self, record: str, name: str, otherwise: Type = ANY) -> Type:
        """The type of a field of a record or message."""
        fields = self._data.record(record).fields
        return next((f.type for f in fields if f.name == name), otherwise)
