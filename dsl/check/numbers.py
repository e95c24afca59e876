"""Wire numbers of fields: what Protobuf allows, and who needs them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

from dsl import syntax
from dsl.check.data import Data
from dsl.check.report import Report
from dsl.diagnostic import Edit, Note
from dsl.model import ServiceModel, WireFormat
from dsl.source import Span
from dsl.types import ListOf, MapOf, Named, Optional, Type

#: Field numbers of Protobuf: the largest, and those it keeps for itself
#: (https://protobuf.dev/programming-guides/proto3/#assigning).
_LARGEST = 2**29 - 1
_RESERVED = range(19_000, 20_000)


class Numbers:
    """Checks the wire numbers of all records and messages."""

    def __init__(self, data: Data, report: Report) -> None:
        self._data = data
        self._report = report

    def check(self, services: Iterable[ServiceModel]) -> None:
        """Reports numbers that cannot be, and records that lack some although Protobuf needs
        them: the messages of such services, and what they are made of."""
        declared = self._data.declared
        for fields in declared.values():
            self._possible(fields)
        needed: list[str] = []
        for service in services:
            if service.format is WireFormat.PROTOBUF:
                needed += [c.name for c in service.commands]
                needed += [e.name for e in service.events]
        for name in self._reached(needed, declared):
            self._complete(name, declared[name])

    def _possible(self, fields: Sequence[syntax.FieldDecl]) -> None:
        seen: dict[int, syntax.Number] = {}
        for number in (f.number for f in fields if f.number):
            value = number.value
            if value is None:
                continue
            first = seen.setdefault(value, number)
            if first is not number:
                also = (Note(first.at, "the first one"),)
                message, help = f"two fields have the number {value}", "give one of them another"
                self._report.add("F214", message, number.at, "again", help, also)
            elif not 1 <= value <= _LARGEST or value in _RESERVED:
                kept = value in _RESERVED
                label = "Protobuf keeps it for itself" if kept else "out of range"
                message = f"{value} cannot number a field"
                help = f"take 1 to {_LARGEST} without {_RESERVED[0]} to {_RESERVED[-1]}"
                self._report.add("F214", message, number.at, label, help)

    def _complete(self, name: str, fields: Sequence[syntax.FieldDecl]) -> None:
        missing = [f for f in fields if f.number is None]
        if not missing:
            return
        short, first = name.rpartition(".")[2], missing[0].name
        message = f"`{first.text}` of `{short}` has no wire number"
        if len(missing) > 1:
            message = f"{len(missing)} fields of `{short}` have no wire numbers"
        free = _free(fields)
        edits = tuple(Edit(_after_type(f), f" @{next(free)}") for f in missing)
        help = f"Protobuf needs one for each: `{first.text}: …{edits[0].text}`"
        self._report.add("F213", message, first.at, "no `@…`", help, fix=edits)

    def _reached(self, names: Sequence[str], declared: Container[str]) -> list[str]:
        """The records and messages that messages are made of, each once, themselves included."""
        found: dict[str, None] = {}
        left = list(reversed(names))
        while left:
            name = left.pop()
            if name not in found and name in declared:
                found[name] = None
                left += [n for f in self._data.record(name).fields for n in _named(f.type)]
        return list(found)


def _free(fields: Sequence[syntax.FieldDecl]) -> Iterator[int]:
    """Numbers beyond those that are taken: a gap may have belonged to a field that is gone."""
    taken = [f.number.value for f in fields if f.number and f.number.value is not None]
    number = max([0, *(n for n in taken if n <= _LARGEST)])
    while True:
        number += 1
        if number in _RESERVED:
            number = _RESERVED.stop
        yield number


def _after_type(field: syntax.FieldDecl) -> Span:
    return Span(field.at.source, field.type.at.end, field.type.at.end)


def _named(type: Type) -> tuple[str, ...]:
    match type:
        case ListOf(inner) | Optional(inner):
            return _named(inner)
        case MapOf(_, inner):
            return _named(inner)
        case Named(name):
            return (name,)
    return ()
