"""What the checker found: inert data, rendered elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from dsl.source import Span


class Severity(StrEnum):
    """How bad a finding is; only an error keeps a flow from being deployed."""

    ERROR = "error"
    WARNING = "warning"


class Note(msgspec.Struct, frozen=True):
    """A second place that a diagnostic points at, with what is to be seen there."""

    at: Span
    label: str


class Edit(msgspec.Struct, frozen=True):
    """A text to put in the place of a span; an empty span is a place to insert at."""

    at: Span
    text: str


class Diagnostic(msgspec.Struct, frozen=True):
    """One finding. `code` has a page under `docs/errors/`; `label` stands under the carets; `fix`
    are the edits that put it right, none where a person has to decide."""

    code: str
    message: str
    at: Span
    label: str = ""
    help: str = ""
    also: tuple[Note, ...] = ()
    severity: Severity = Severity.ERROR
    fix: tuple[Edit, ...] = ()


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them keeps the flow from being deployed."""
    return any(d.severity is Severity.ERROR for d in diagnostics)
