"""What a message's clauses say of its fields: its key, its sequence, how it stays idempotent."""

from __future__ import annotations

from dsl import syntax
from dsl.check.data import Data
from dsl.check.report import Report, did_you_mean
from dsl.diagnostic import Edit, Note
from dsl.model import Delivery, FieldModel, Idempotency
from dsl.source import Span
from dsl.types import ANY, INT, STRING, UUID

MessageDecl = syntax.CommandDecl | syntax.EventDecl


class Clauses:
    """Reads the clauses of messages."""

    def __init__(self, data: Data, report: Report) -> None:
        self._data = data
        self._report = report

    def key(self, message: MessageDecl, service: str) -> str:
        """The field that orders a message."""
        found = self._field(message.key, message, service)
        if found and found.type not in (STRING, INT, UUID, ANY):
            text = f"a `{found.type}` cannot be a key"
            help = "a key is a `string`, an `int` or a `uuid`, never null"
            self._report.add("F303", text, message.key.at, f"of type `{found.type}`", help)
        return message.key.text

    def idempotency(self, command: syntax.CommandDecl, service: str) -> Idempotency:
        """How a command's handler knows one that it has handled."""
        clause = command.idempotent
        if clause is None or clause.by == "message":
            return Idempotency()
        seen: dict[str, syntax.Identifier] = {}
        for name in clause.fields:
            first = seen.setdefault(name.text, name)
            if first is not name:
                also = (Note(first.at, "the first one"),)
                text = f"`{name.text}` is named twice"
                self._report.add("F004", text, name.at, "again", "keep one of them", also)
        found = [(n, self._field(n, command, service)) for n in seen.values()]
        if clause.by == "key":
            return Idempotency(by="key", fields=tuple(n.text for n, _ in found))
        for name, field in found:
            self._whole_number(name, field, "a version")
        return Idempotency(by="version", fields=tuple(n.text for n, _ in found))

    def sequence(self, event: syntax.EventDecl, service: str) -> str | None:
        """The field that numbers the events of a key."""
        if event.sequence is None:
            return None
        field = self._field(event.sequence, event, service)
        self._whole_number(event.sequence, field, "a sequence")
        return event.sequence.text

    def command_delivery(self, command: syntax.CommandDecl) -> Delivery:
        """How often a command reaches who handles it; exactly once is what its handler has to
        know again."""
        delivery, word = self.delivery(command), command.delivery
        if delivery is Delivery.EXACTLY_ONCE and word and command.idempotent is None:
            text = f"nothing says how `{command.name.text}` is known again"
            help = "add `idempotent by message`, `by key (…)` or `by version …`"
            at = Span(word.at.source, word.at.end, word.at.end)
            fix = (Edit(at, " idempotent by message"),)
            self._report.add("F324", text, word.at, "it may come twice", help, fix=fix)
        return delivery

    def delivery(self, message: MessageDecl) -> Delivery:
        """How often a message reaches who it is for."""
        word = message.delivery
        if word is None:
            return Delivery.AT_LEAST_ONCE
        if word.text in set(Delivery):
            return Delivery(word.text)
        help = did_you_mean(word.text, Delivery) or (
            "it is " + " or ".join(f"`{d}`" for d in Delivery)
        )
        text = f"no delivery is `{word.text}`"
        self._report.add("F211", text, word.at, "not one of them", help)
        return Delivery.AT_LEAST_ONCE

    def _field(
        self, name: syntax.Identifier, message: MessageDecl, service: str
    ) -> FieldModel | None:
        fields = {f.name: f for f in self._data.record(f"{service}.{message.name.text}").fields}
        if name.text not in fields:
            text = f"`{message.name.text}` has no field `{name.text}`"
            help = did_you_mean(name.text, fields)
            self._report.add("F202", text, name.at, "no such field", help)
        return fields.get(name.text)

    def _whole_number(self, name: syntax.Identifier, field: FieldModel | None, what: str) -> None:
        if field is None or field.type in (INT, ANY):
            return
        text = f"a `{field.type}` cannot be {what}"
        help = "it is an `int`, and never null"
        self._report.add("F212", text, name.at, f"of type `{field.type}`", help)
