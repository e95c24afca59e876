"""Policies, services and their messages."""

from __future__ import annotations

from dsl.source import Span
from dsl.syntax.data import FieldDecl
from dsl.syntax.expressions import Expr
from dsl.syntax.names import Identifier, Path
from dsl.syntax.node import Node


class Setting(Node, frozen=True):
    """`name: value` in a policy or a service."""

    name: Identifier
    value: Expr
    at: Span


class PolicyDecl(Node, frozen=True):
    """`policy Name extends Other { settings }`."""

    name: Identifier
    extends: Path | None
    settings: tuple[Setting, ...]
    doc: str
    at: Span


class Idempotent(Node, frozen=True):
    """`idempotent by message`, `by key (f, g)` or `by version f`; `by` is the word."""

    by: str
    fields: tuple[Identifier, ...]
    at: Span


class CommandDecl(Node, frozen=True):
    """`command Name key k idempotent by … delivery mode { fields } replies A | B fails C`."""

    name: Identifier
    key: Identifier
    fields: tuple[FieldDecl, ...]
    replies: tuple[Path, ...]
    fails: tuple[Path, ...]
    doc: str
    at: Span
    idempotent: Idempotent | None = None
    delivery: Identifier | None = None


class EventDecl(Node, frozen=True):
    """`event Name key k sequence f delivery mode { fields }`."""

    name: Identifier
    key: Identifier
    fields: tuple[FieldDecl, ...]
    doc: str
    at: Span
    sequence: Identifier | None = None
    delivery: Identifier | None = None


class ServiceDecl(Node, frozen=True):
    """`service Name { settings, commands, events }`."""

    name: Identifier
    settings: tuple[Setting, ...]
    commands: tuple[CommandDecl, ...]
    events: tuple[EventDecl, ...]
    doc: str
    at: Span

    @property
    def messages(self) -> tuple[CommandDecl | EventDecl, ...]:
        """Its commands and its events."""
        return (*self.commands, *self.events)
