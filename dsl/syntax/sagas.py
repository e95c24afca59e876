"""Sagas, what starts them and what they may be told, and activities."""

from __future__ import annotations

from dsl.source import Span
from dsl.syntax.data import FieldDecl, Parameter, TypeRef
from dsl.syntax.expressions import Argument, Expr, Literal
from dsl.syntax.names import Identifier, Path
from dsl.syntax.node import Node
from dsl.syntax.statements import Block, Set


class ActivityDecl(Node, frozen=True):
    """`activity Name(params) -> T from "package.module:function"`."""

    name: Identifier
    parameters: tuple[Parameter, ...]
    result: TypeRef | None
    function: Literal
    doc: str
    at: Span


class StartsOn(Node, frozen=True):
    """`starts on Event as e with (param: e.x)`."""

    event: Path
    name: Identifier | None
    arguments: tuple[Argument, ...]
    at: Span


class StartsEvery(Node, frozen=True):
    """`starts every interval with (param: at)`."""

    interval: Expr
    arguments: tuple[Argument, ...]
    at: Span


class StartsAt(Node, frozen=True):
    """`starts at "cron" in "zone" with (param: at)`."""

    cron: Literal
    zone: Literal | None
    arguments: tuple[Argument, ...]
    at: Span


Scheduled = StartsEvery | StartsAt


class SignalDecl(Node, frozen=True):
    """`signal Name { fields }`: what a saga may be told."""

    name: Identifier
    fields: tuple[FieldDecl, ...]
    doc: str
    at: Span


class QueryDecl(Node, frozen=True):
    """`query name -> type = value`: what a saga may be asked."""

    name: Identifier
    type: TypeRef
    value: Expr
    doc: str
    at: Span


class UpdateDecl(Node, frozen=True):
    """`update Name { fields } when condition { sets }`: what may be changed in a saga."""

    name: Identifier
    fields: tuple[FieldDecl, ...]
    condition: Expr | None
    sets: tuple[Set, ...]
    doc: str
    at: Span


Input = SignalDecl | QueryDecl | UpdateDecl


class SagaDecl(Node, frozen=True):
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
