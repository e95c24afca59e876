"""Collects diagnostics while the checker goes on."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from dsl.diagnostic import Diagnostic, Edit, Note, Severity
from dsl.source import Span
from dsl.suggestion import Suggestion, fix_of


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
        """Adds an error. A help that suggests a name is a fix as well."""
        fix = fix or fix_of(at, help)
        self.diagnostics.append(Diagnostic(code, message, at, label, help, also, fix=fix))

    def warn(
        self,
        code: str,
        message: str,
        at: Span,
        label: str = "",
        help: str = "",
        fix: tuple[Edit, ...] = (),
    ) -> None:
        """Adds a warning."""
        severity = Severity.WARNING
        self.diagnostics.append(
            Diagnostic(code, message, at, label, help, severity=severity, fix=fix)
        )

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Adds what another stage found."""
        self.diagnostics.extend(diagnostics)


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A help that names the closest known name, or nothing."""
    close = get_close_matches(wrong, list(known), 1, 0.6)
    return Suggestion(wrong, close[0]) if close else ""
