"""Collects diagnostics while the checker goes on."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from dsl.diagnostic import Diagnostic, Edit, Note, Severity
from dsl.source import Span


class Report:
    """What was found so far, in the order it was found."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def add(
        self,
        code: str,
        message: str,
        at: Span,
        label: str = "",
        help: str = "",
        also: tuple[Note, ...] = (),
        fix: tuple[Edit, ...] = (),
    ) -> None:
        """Adds an error."""
        self.diagnostics.append(Diagnostic(code, message, at, label, help, also, fix=fix))

    def warn(self, code: str, message: str, at: Span, label: str = "", help: str = "") -> None:
        """Adds a warning."""
        self.diagnostics.append(
            Diagnostic(code, message, at, label, help, severity=Severity.WARNING)
        )

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Adds what another stage found."""
        self.diagnostics.extend(diagnostics)


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A help that names the closest known name, or nothing."""
    close = get_close_matches(wrong, list(known), 1, 0.6)
    return f"did you mean `{close[0]}`?" if close else ""
