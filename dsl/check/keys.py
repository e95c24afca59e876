"""One topic, one key: its messages are ordered, and found again, by what they are keyed by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dsl import syntax
from dsl.check.data import Data
from dsl.check.names import Module
from dsl.check.report import Report
from dsl.diagnostic import Note
from dsl.types import ANY, Type

_Message = syntax.CommandDecl | syntax.EventDecl


def check_keys(modules: Iterable[Module], data: Data, report: Report) -> None:
    """Reports messages of one topic that are keyed by other fields, or by other types."""
    for module in modules:
        for symbol in module.own.values():
            service = symbol.declaration
            if isinstance(service, syntax.ServiceDecl):
                for messages in (service.commands, service.events):
                    _check(messages, symbol.name, data, report)


def _check(messages: Sequence[_Message], service: str, data: Data, report: Report) -> None:
    first: tuple[_Message, Type] | None = None
    for message in messages:
        record = data.record(f"{service}.{message.name.text}")
        type = next((f.type for f in record.fields if f.name == message.key.text), ANY)
        if type is ANY:
            continue  # reported where it is declared
        if first is None:
            first = message, type
        elif (message.key.text, type) != (first[0].key.text, first[1]):
            _report(message, type, *first, report)


def _report(
    message: _Message, type: Type, first: _Message, first_type: Type, report: Report
) -> None:
    same = message.key.text == first.key.text
    was, now = (f"{first_type}", f"{type}") if same else (first.key.text, message.key.text)
    text = f"`{message.name.text}` has another key than its topic"
    also = (Note(first.key.at, "the topic's first key"),)
    help = f"key it by `{was}`, or declare it in a service of its own"
    report.add("F370", text, message.key.at, f"`{now}`, not `{was}`", help, also)
