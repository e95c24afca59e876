"""A saga's inputs: what it may be told, asked, and changed by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from dsl import syntax
from dsl.check.names import Symbol
from dsl.check.report import Report, did_you_mean
from dsl.diagnostic import Note
from dsl.model import SignalModel
from dsl.source import Span

K = TypeVar("K", bound=syntax.Input)

#: Under these names the runtime itself reaches a saga.
RESERVED = ("event", "resolve")

_WORDS = {syntax.SignalDecl: "signal", syntax.QueryDecl: "query", syntax.UpdateDecl: "update"}


class Inputs:
    """What one saga declares at the top of its body. `read` are the names that its queries and
    updates read, `changed` the variables that its updates set, at any time. It sees which of the
    signals are awaited."""

    def __init__(self, symbol: Symbol, saga: syntax.SagaDecl, report: Report) -> None:
        self._saga = symbol.name
        self._report = report
        self._declared: dict[str, syntax.Input] = {}
        self._awaited: set[str] = set()
        first = saga.body.statements[0] if saga.body.statements else None
        for input in saga.inputs:
            if first and input.at.start > first.at.start:
                self._misplaced(input, first)
            self._declare(input)
        self.read = frozenset(n for i in saga.inputs for n in _read(i))
        updates = (i for i in saga.inputs if isinstance(i, syntax.UpdateDecl))
        self.changed = frozenset(s.name.text for u in updates for s in u.sets)

    def of(self, kind: type[K]) -> list[K]:
        """The inputs of one kind."""
        return [i for i in self._declared.values() if isinstance(i, kind)]

    def payload(self, input: syntax.SignalDecl | syntax.UpdateDecl) -> str:
        """The qualified name of what it is sent."""
        return f"{self._saga}.{input.name.text}"

    def signals(self) -> Iterator[SignalModel]:
        """The signals; one that nothing awaits is a warning."""
        for signal in self.of(syntax.SignalDecl):
            name = signal.name.text
            if name not in self._awaited:
                message, help = f"nothing awaits `{name}`", "remove it, or `await` it"
                self._report.warn("F106", message, signal.name.at, "never read", help)
            yield SignalModel(name=name, record=self.payload(signal), doc=signal.doc)

    def awaited(self, path: syntax.Path) -> str | None:
        """The qualified name of the signal that a bare name stands for, if there is one."""
        signal = self._declared.get(path.text)
        if not isinstance(signal, syntax.SignalDecl):
            return None
        self._awaited.add(path.text)
        return self.payload(signal)

    def resembles(self, path: syntax.Path) -> bool:
        """Whether a name is another input's, or nearly one of the signals; reported then."""
        other = self._declared.get(path.text)
        label = "not declared"
        if other:
            label, help = "cannot be awaited", f"declare it as a signal: `signal {path.text} {{ }}`"
            message = f"`{path.text}` is {_article(_WORDS[type(other)])}"
        else:
            help = did_you_mean(path.text, [s.name.text for s in self.of(syntax.SignalDecl)])
            message = f"this saga has no signal `{path.text}`"
        if help:
            self._report.add("F101", message, path.at, label, help)
        return bool(help)

    def _declare(self, input: syntax.Input) -> None:
        name = input.name
        if first := self._declared.get(name.text):
            also = (Note(first.name.at, "the first one"),)
            message, help = f"`{name.text}` is declared twice", "rename one of them"
            self._report.add("F102", message, name.at, "again", help, also)
            return
        self._declared[name.text] = input
        if name.text in RESERVED or name.text.startswith("__"):
            message = f"`{name.text}` is no name for an input"
            help = "choose another: the runtime reaches every saga under this one"
            self._report.add("F341", message, name.at, "already in use", help)

    def _misplaced(self, input: syntax.Input, first: syntax.Statement) -> None:
        word = _WORDS[type(input)]
        at = Span(input.at.source, input.at.start, input.at.start + len(word))
        also = (Note(first.at, "the saga's course begins here"),)
        message = f"`{input.name.text}` stands behind a statement"
        help = "move it to the top of the saga's body: it holds from the beginning"
        self._report.add("F340", message, at, "too late", help, also)


def _article(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _read(input: syntax.Input) -> frozenset[str]:
    """The names that an input reads of its saga."""
    match input:
        case syntax.QueryDecl(value=value):
            return _names(value)
        case syntax.UpdateDecl(fields=fields):
            own = {f.name.text for f in fields}
            return _names(input.condition, *(s.value for s in input.sets)) - own
    return frozenset()


def _names(*parts: syntax.Expr | None) -> frozenset[str]:
    nodes = (n for part in parts if part for n in syntax.walk(part))
    return frozenset(n.text for n in nodes if isinstance(n, syntax.Name))
