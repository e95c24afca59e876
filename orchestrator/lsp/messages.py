"""Diagnostics as the protocol has them."""

from __future__ import annotations

from collections.abc import Callable

from lsprotocol import types

from dsl.diagnostic import Diagnostic, Note, Severity
from dsl.source import Source, Span
from orchestrator.lsp.positions import Positions

#: What has no effect, which editors show paler.
_UNNECESSARY = frozenset(("F106", "F307"))
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
}


def to_diagnostic(
    found: Diagnostic, positions: Callable[[Source], Positions], uri: Callable[[str], str]
) -> types.Diagnostic:
    """A finding; what it also points at becomes related information."""
    return types.Diagnostic(
        range=positions(found.at.source).range(found.at),
        message=_message(found),
        severity=_SEVERITIES.get(found.severity, types.DiagnosticSeverity.Error),
        code=found.code,
        source="orchestrate",
        tags=[types.DiagnosticTag.Unnecessary] if found.code in _UNNECESSARY else None,
        related_information=[_related(n, positions, uri) for n in found.also] or None,
    )


def location(
    at: Span, positions: Callable[[Source], Positions], uri: Callable[[str], str]
) -> types.Location:
    """Where a span is."""
    return types.Location(uri(at.source.path), positions(at.source).range(at))


def _related(
    note: Note, positions: Callable[[Source], Positions], uri: Callable[[str], str]
) -> types.DiagnosticRelatedInformation:
    return types.DiagnosticRelatedInformation(location(note.at, positions, uri), note.label)


def _message(found: Diagnostic) -> str:
    said = f"{found.message}: {found.label}" if found.label else found.message
    return f"{said}\n{found.help}" if found.help else said
