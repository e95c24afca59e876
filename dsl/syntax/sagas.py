"""Sagas, what starts them and what they may be told, and activities."""

from __future__ import annotations

from dataclasses import dataclass

from dsl.source import Span
from dsl.syntax.data import FieldDecl, Parameter, TypeRef
from dsl.syntax.expressions import Argument, Expr, Literal
from dsl.syntax.names import Identifier, Path
from dsl.syntax.node import Node
from dsl.syntax.statements import Block, Set


@dataclass(frozen=True, slots=True)
class ActivityDecl(Node):
    """`activity Name(params) -> T from "package.module:function"`."""

    name: Identifier
    parameters: tuple[Parameter, ...]
    result: TypeRef | None
    function: Literal
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class StartsOn(Node):
    """`starts on Event as e with (param: e.x)`."""

    event: Path
    name: Identifier | None
    arguments: tuple[Argument, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class StartsEvery(Node):
    """`starts every interval with (param: at)`."""

    interval: Expr
    arguments: tuple[Argument, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class StartsAt(Node):
    """`starts at "cron" in "zone" with (param: at)`."""

    cron: Literal
    zone: Literal | None
    arguments: tuple[Argument, ...]
    at: Span


Scheduled = StartsEvery | StartsAt


@dataclass(frozen=True, slots=True)
class SignalDecl(Node):
    """`signal Name { fields }`: what a saga may be told."""

    name: Identifier
    fields: tuple[FieldDecl, ...]
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class QueryDecl(Node):
    """`query name -> type = value`: what a saga may be asked."""

    name: Identifier
    type: TypeRef
    value: Expr
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class UpdateDecl(Node):
    """`update Name { fields } when condition { sets }`: what may be changed in a saga."""

    name: Identifier
    fields: tuple[FieldDecl, ...]
    condition: Expr | None
    sets: tuple[Set, ...]
    doc: str
    at: Span


Input = SignalDecl | QueryDecl | UpdateDecl


@dataclass(frozen=True, slots=True)
class SagaDecl(Node):
    """`saga Name(params) -> T clauses { inputs body }`."""

    name: Identifier
    parameters: tuple[Parameter, ...]
    result: TypeRef | None
    key: Expr | None
    starts: tuple[StartsOn, ...]
    within: Expr | None
    policy: Path | None
    body: Block
    doc: str
    at: Span
    inputs: tuple[Input, ...] = ()
    schedules: tuple[Scheduled, ...] = ()
