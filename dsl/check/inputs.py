"""A saga's inputs: the signals that it may be told."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import syntax
from dsl.check.names import Symbol
from dsl.check.report import Report, did_you_mean
from dsl.diagnostic import Note
from dsl.model import SignalModel
from dsl.source import Span

#: Under these names the runtime itself reaches a saga.
RESERVED = ("event", "resolve")


class Inputs:
    """What one saga declares at the top of its body; it sees which of its signals are awaited."""

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

    def signals(self) -> Iterator[SignalModel]:
        """The signals; one that nothing awaits is a warning."""
        for name, input in self._declared.items():
            if name not in self._awaited:
                message, help = f"nothing awaits `{name}`", "remove it, or `await` it"
                self._report.warn("F106", message, input.name.at, "never read", help)
            yield SignalModel(name=name, record=f"{self._saga}.{name}", doc=input.doc)

    def awaited(self, path: syntax.Path) -> str | None:
        """The qualified name of the signal that a bare name stands for, if there is one."""
        if path.text in self._declared:
            self._awaited.add(path.text)
            return f"{self._saga}.{path.text}"
        return None

    def resembles(self, path: syntax.Path) -> bool:
        """Whether a name is nearly one of the signals; reported then."""
        help = did_you_mean(path.text, self._declared)
        if help:
            message = f"this saga has no signal `{path.text}`"
            self._report.add("F101", message, path.at, "not declared", help)
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
        at = Span(input.at.source, input.at.start, input.at.start + len("signal"))
        also = (Note(first.at, "the saga's course begins here"),)
        message = f"`{input.name.text}` stands behind a statement"
        help = "move it to the top of the saga's body: it holds from the beginning"
        self._report.add("F340", message, at, "too late", help, also)
