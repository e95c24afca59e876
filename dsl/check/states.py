"""Aggregates and projections: a state, and what each event makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from dsl import syntax
from dsl.cel.nodes import Node
from dsl.check.block import place
from dsl.check.data import Data
from dsl.check.messages import Messages
from dsl.check.names import Module
from dsl.check.reactions import Reactions
from dsl.check.report import Report, did_you_mean
from dsl.check.scope import LocalScope, Variable
from dsl.check.settings import positive
from dsl.diagnostic import Note
from dsl.model import AggregateModel, EventModel, ProjectionModel
from dsl.types import ANY, INT, STRING, UUID, Named, Type

_KEYS = (STRING, INT, UUID, ANY)


class States:
    """Checks the aggregates and projections of a module."""

    def __init__(self, data: Data, messages: Messages, report: Report) -> None:
        self._data = data
        self._messages = messages
        self._reactions = Reactions(data, report)
        self._report = report

    def aggregates(self, module: Module) -> tuple[AggregateModel, ...]:
        """The aggregates that a module declares."""
        return tuple(
            self._aggregate(s.name, s.declaration, module)
            for s in module.own.values()
            if isinstance(s.declaration, syntax.AggregateDecl)
        )

    def projections(self, module: Module) -> tuple[ProjectionModel, ...]:
        """The projections that a module declares."""
        return tuple(
            self._projection(s.name, s.declaration, module)
            for s in module.own.values()
            if isinstance(s.declaration, syntax.ProjectionDecl)
        )

    # --- aggregates

    def _aggregate(
        self, name: str, declared: syntax.AggregateDecl, module: Module
    ) -> AggregateModel:
        key, report = declared.key.text, self._report
        fields = self._data.record(name).fields
        self._reactions.begins(declared, fields, None)
        if own := next((f.name for f in declared.fields if f.name.text == key), None):
            also = (Note(declared.key.at, "the key"),)
            message, help = f"`{key}` is declared twice", "remove it: the key is there by its name"
            report.add("F102", message, own.at, "again", help, also)
        events = [(r, self._messages.event(r.event, module)) for r in declared.reactions]
        key_type = self._key_of_events(key, events)
        state = self._reactions.scope(module, declared, fields)
        state.variables.setdefault(key, Variable(key_type, declared.key.at))
        self._reached(events)
        return AggregateModel(
            name=name,
            key=key,
            key_type=key_type,
            fields=fields,
            reactions=tuple(
                self._reactions.reaction(r, event, state, declared) for r, event in events if event
            ),
            snapshot_every=self._count(declared.snapshot, "snapshot every"),
            buffer=self._count(declared.buffer, "buffer"),
            within=self._within(declared),
            doc=declared.doc,
            place=place(declared.at),
        )

    def _key_of_events(
        self, key: str, events: Sequence[tuple[syntax.Reaction, EventModel | None]]
    ) -> Type:
        """The type of an aggregate's key: that of its events' own."""
        first: tuple[syntax.Reaction, Type] | None = None
        for reaction, event in events:
            if event is None:
                continue
            at, text = reaction.event.at, reaction.event.text
            if event.key != key:
                message, label = f"`{text}` is keyed by `{event.key}`", f"the key here is `{key}`"
                help = "an aggregate is made of events of its own key: they alone come in order"
                self._report.add("F303", message, at, label, help)
                continue
            type = self._reactions.field_type(event.name, key)
            if first is None:
                first = reaction, type
            elif type != first[1] and ANY not in (type, first[1]):
                also = (Note(first[0].event.at, f"by `{first[1]}`"),)
                message = f"`{text}` is keyed by `{type}`"
                help = "give the events of an aggregate keys of one type"
                self._report.add("F303", message, at, "another type", help, also)
        return first[1] if first else ANY

    def _reached(self, events: Sequence[tuple[syntax.Reaction, EventModel | None]]) -> None:
        """The first reaction that holds is taken, so nothing follows one without a condition."""
        taken: dict[str, syntax.Reaction] = {}
        for reaction, event in events:
            if event is None:
                continue
            if first := taken.get(event.name):
                also = (Note(first.event.at, "takes all of them"),)
                message = f"`{reaction.event.text}` never comes here"
                help, at = "give the first one a `when`", reaction.event.at
                self._report.add("F307", message, at, "never reached", help, also)
            elif reaction.condition is None:
                taken[event.name] = reaction

    def _count(self, value: syntax.Literal | None, words: str) -> int | None:
        if value is None or type(value.value) is not int:
            return None
        if value.value < 1:
            message = f"`{words}` cannot be `{value.at.text}`"
            self._report.add("F211", message, value.at, "too few", "it is 1 or more")
        return value.value

    def _within(self, declared: syntax.AggregateDecl) -> timedelta | None:
        if declared.within is None:
            return None
        if declared.buffer is None:
            message, help = "without `buffer` nothing waits", "add `buffer 50`, or remove it"
            self._report.add("F211", message, declared.within.at, "limits nothing", help)
        return positive(declared.within, "within", self._report)

    # --- projections

    def _projection(
        self, name: str, declared: syntax.ProjectionDecl, module: Module
    ) -> ProjectionModel:
        key, fields = declared.key, self._data.record(name).fields
        columns = {f.name: f.type for f in fields}
        self._reactions.begins(declared, fields, key.text)
        if key.text not in columns:
            message = f"`{declared.name.text}` has no column `{key.text}`"
            help = did_you_mean(key.text, columns) or f"declare it: `{key.text}: string`"
            self._report.add("F202", message, key.at, "no such column", help)
        elif columns[key.text] not in _KEYS:
            message = f"a `{columns[key.text]}` cannot be a key"
            help = "a key is a `string`, an `int` or a `uuid`, never null"
            self._report.add("F303", message, key.at, f"of type `{columns[key.text]}`", help)
        state = self._reactions.scope(module, declared, fields)
        reactions = []
        for reaction in declared.reactions:
            if event := self._messages.event(reaction.event, module):
                row = self._row(reaction, event, key.text, columns.get(key.text, ANY), module)
                reactions.append(self._reactions.reaction(reaction, event, state, declared, row))
        return ProjectionModel(
            name=name,
            key=key.text,
            columns=fields,
            reactions=tuple(reactions),
            doc=declared.doc,
            place=place(declared.at),
        )

    def _row(
        self, reaction: syntax.Reaction, event: EventModel, key: str, type: Type, module: Module
    ) -> Node | None:
        """The expression for the key of the row that an event is about; None for the event's field
        of the key's name."""
        if reaction.row is not None:
            scope = LocalScope(self._data.scope(module))
            if reaction.name:
                scope.variables[reaction.name.text] = Variable(Named(event.name), reaction.name.at)
            return self._reactions.expression(reaction.row, scope, type).node
        fields = {f.name: f.type for f in self._data.record(event.name).fields}
        found = fields.get(key)
        if found is None:
            message = f"`{reaction.event.text}` has no field `{key}`"
            help = "say which row it is about: `as e for e.…`"
            self._report.add("F202", message, reaction.event.at, "no such field", help)
        elif found != type and ANY not in (found, type):
            message = f"`{key}` of `{reaction.event.text}` is a `{found}`"
            help = "say which row it is about: `as e for e.…`"
            self._report.add("F201", message, reaction.event.at, f"the key is a `{type}`", help)
        return None
