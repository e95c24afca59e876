"""Reads the settings of policies and services: constants and constructor-like calls."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import zip_longest
from typing import Any, TypeVar

import msgspec

from dsl import syntax
from dsl.check.report import Report, did_you_mean
from dsl.diagnostic import Note
from dsl.fine import coarse
from dsl.source import Span

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

#: As long as a duration can be on the wire, in Protobuf's and CEL's.
_LONGEST = timedelta(seconds=315_576_000_000)
# Kafka's own rule for a topic's name.
_TOPIC_NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,249}")


class Settings:
    """The settings of one declaration; each is asked for by name, what is left is unknown."""

    def __init__(self, settings: Iterable[syntax.Setting], owner: str, report: Report) -> None:
        self._owner = owner
        self._report = report
        self._known: list[str] = []
        self._left: dict[str, syntax.Setting] = {}
        for setting in settings:
            if first := self._left.get(setting.name.text):
                also = (Note(first.name.at, "said here first"),)
                message, help = f"a second `{setting.name.text}`", "keep one of them"
                report.add("F004", message, setting.name.at, "said again", help, also)
            else:
                self._left[setting.name.text] = setting

    def take(self, name: str) -> syntax.Expr | None:
        """The value of a setting as written."""
        self._known.append(name)
        setting = self._left.pop(name, None)
        return setting.value if setting else None

    def constant(self, name: str, kind: type[T], what: str) -> T | None:
        """A literal of one kind; `what` says it in words, for the diagnostic."""
        value = self.take(name)
        return None if value is None else constant(value, kind, what, self._report)

    def duration(self, name: str) -> timedelta | None:
        """A duration that is longer than nothing."""
        value = self.take(name)
        return None if value is None else positive(value, name, self._report)

    def topic(self, name: str) -> str | None:
        """The name of a Kafka topic."""
        value = self.take(name)
        found = constant(value, str, "a topic's name in quotes", self._report) if value else None
        if value is None or found is None or not topic_name(found, value.at, self._report):
            return None
        return found

    def word(self, name: str, words: tuple[str, ...]) -> str | None:
        """One of several words."""
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, syntax.Name) and value.text in words:
            return value.text
        help = "it takes " + " or ".join(f"`{w}`" for w in words)
        message = f"`{name}` cannot be `{shown(value.at.text)}`"
        self._report.add("F211", message, value.at, "not one of them", help)
        return None

    def one_of(self, name: str, kind: type[E]) -> E | None:
        """A word that is one of an enum's."""
        found = self.word(name, tuple(kind))
        return kind(found) if found else None

    def count(self, name: str) -> int | None:
        """A whole number of at least 1."""
        value = self.take(name)
        found = constant(value, int, "a whole number", self._report) if value else None
        if value and found is not None and found < 1:
            message, help = f"`{name}` cannot be `{value.at.text}`", "it is 1 or more"
            self._report.add("F211", message, value.at, "too few", help)
            return None
        return found

    def finish(self) -> None:
        """Reports the settings that nobody asked for."""
        for name, setting in self._left.items():
            help = did_you_mean(name, self._known) or (
                "it has " + ", ".join(f"`{n}`" for n in self._known)
            )
            message = f"{self._owner} has no setting `{name}`"
            self._report.add("F210", message, setting.name.at, "not a setting", help)


def constant(value: syntax.Expr, kind: type[T], what: str, report: Report) -> T | None:
    """A literal of one kind (an int passes for a float), else None and a diagnostic."""
    if isinstance(value, syntax.Literal):
        found: Any = coarse(value.value)  # what settings time has no use for nanoseconds
        if kind is float and type(found) in (int, Decimal):
            found = float(found)
        if isinstance(found, timedelta) and found > _LONGEST:
            message, help = f"`{shown(value.at.text)}` is too long", "stay below 10,000 years"
            report.add("F211", message, value.at, "out of range", help)
            return None
        if type(found) is kind:
            return found
    label = _words(type(value.value)) if isinstance(value, syntax.Literal) else "not a constant"
    report.add("F211", f"expected {what}", value.at, label, f"write {what}")
    return None


def positive(value: syntax.Expr, name: str, report: Report) -> timedelta | None:
    """A constant duration that is longer than nothing; `name` is what it is the value of."""
    found = constant(value, timedelta, "a duration like `10s`", report)
    if found is not None and found <= timedelta(0):
        message, help = f"`{name}` cannot be `{value.at.text}`", "make it longer than nothing"
        report.add("F211", message, value.at, "no time at all", help)
        return None
    return found


def topic_name(name: str, at: Span, report: Report) -> bool:
    """Whether Kafka takes a topic of that name; reports it when not."""
    if _TOPIC_NAME.fullmatch(name):
        return True
    help = "Kafka allows letters, digits, `.`, `_` and `-`, 249 at most"
    message = f"`{shown(name)}` cannot name a topic" if name else "a topic has a name"
    report.add("F211", message, at, "not a topic's name" if name else "empty", help)
    return False


def shown(text: str) -> str:
    """A text in one line of a diagnostic, cut when it is long."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:39]}…"


class Form(msgspec.Struct, frozen=True):
    """A call such as `fixed(attempts: 3, every: 1s)`: its arguments' values and places by name."""

    name: str
    values: dict[str, Any]
    places: dict[str, Span]

    def bounded(self, argument: str, holds: bool, range: str, report: Report) -> bool:
        """Whether an argument is within its bounds; reports it when it is not."""
        if not holds:
            message = f"`{argument}` cannot be `{self.places[argument].text}`"
            report.add("F211", message, self.places[argument], "out of range", f"it is {range}")
        return holds


def call(value: syntax.Expr, forms: dict[str, dict[str, type]], report: Report) -> Form | None:
    """Reads a call by the forms that are allowed: function → argument → kind. A word alone is a
    form without arguments."""
    if isinstance(value, syntax.Name) and forms.get(value.text) == {}:
        return Form(value.text, {}, {})
    if not (
        isinstance(value, syntax.Call)
        and isinstance(value.callee, syntax.Name)
        and value.callee.text in forms
    ):
        shapes = (f"`{f}({', '.join(a)})`" if a else f"`{f}`" for f, a in forms.items())
        message = f"`{shown(value.at.text)}` cannot stand here"
        help = "write " + " or ".join(shapes)
        report.add("F211", message, value.at, "none of the forms", help)
        return None
    function, kinds = value.callee.text, forms[value.callee.text]
    found = Form(function, {}, {})
    for argument, position in zip_longest(value.arguments, kinds):
        if argument is not None:
            _argument(argument, position, found, kinds, report)
    return found


def _argument(
    argument: syntax.Argument,
    position: str | None,
    found: Form,
    kinds: dict[str, type],
    report: Report,
) -> None:
    """Reads one argument into `found`; `position` is the name that one without a name has."""
    name = argument.name.text if argument.name else position
    at = argument.name.at if argument.name else argument.value.at
    if name is None:
        report.add(
            "F204", f"too many arguments for `{found.name}`", at, "one too many", "remove it"
        )
    elif name not in kinds:
        help = did_you_mean(name, kinds) or (
            "it has " + ", ".join(f"`{k}`" for k in kinds) if kinds else "remove it"
        )
        report.add("F204", f"`{found.name}` has no argument `{name}`", at, "unknown", help)
    elif first := found.places.get(name):
        also = (Note(first, "given here first"),)
        report.add("F204", f"`{name}` is given twice", at, "again", "keep one of them", also)
    else:
        found.places[name] = argument.value.at
        item = constant(argument.value, kinds[name], _words(kinds[name]), report)
        if item is not None:
            found.values[name] = item


def _words(kind: type) -> str:
    return {
        timedelta: "a duration like `10s`",
        int: "a whole number",
        float: "a number",
        Decimal: "a percentage like `20%`",
        str: "a text in quotes",
    }.get(kind, "of another kind")
