"""Sagas, what starts them and what they may be told, and activities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from dsl.cel.nodes import Node
from dsl.model.data import ParameterModel
from dsl.model.part import Part, Place
from dsl.model.statements import SetModel, Statement
from dsl.stored import Stored
from dsl.types import TypeField


@dataclass(frozen=True, kw_only=True, slots=True)
class ActivityModel(Stored):
    """A Python function, `function` as `package.module:name`; without `result` it gives null."""

    name: str
    parameters: tuple[ParameterModel, ...]
    result: TypeField | None = None
    function: str
    doc: str = ""


class StartModel(Part, frozen=True, kw_only=True):
    """`starts on Event as name with (…)`: one expression for each parameter, over `name`."""

    event: str
    name: str
    arguments: dict[str, Node]


class ScheduleModel(Part, frozen=True, kw_only=True):
    """`starts every interval` or `starts at "cron" in "zone"`, with one expression for each
    parameter, over the scheduled time `at`."""

    every: timedelta | None = None
    cron: str | None = None
    zone: str = "UTC"
    arguments: dict[str, Node]


class SignalModel(Part, frozen=True, kw_only=True):
    """`signal name { fields }`; `record` is the qualified name of its payload."""

    name: str
    record: str
    doc: str = ""


class QueryModel(Part, frozen=True, kw_only=True):
    """`query name -> type = value`; the value reads the names of the saga's outermost block."""

    name: str
    type: TypeField
    value: Node
    doc: str = ""


class UpdateModel(Part, frozen=True, kw_only=True):
    """`update name { fields } when condition { sets }`; `record` is the qualified name of its
    payload, whose fields are names here beside those of the saga's outermost block."""

    name: str
    record: str
    condition: Node | None = None
    text: str = ""
    sets: tuple[SetModel, ...] = ()
    doc: str = ""


class SagaModel(Part, frozen=True, kw_only=True):
    """A saga. `key` is an expression over the parameters; `within` a constant duration."""

    name: str
    parameters: tuple[ParameterModel, ...]
    result: TypeField | None = None
    key: Node
    starts: tuple[StartModel, ...] = ()
    schedules: tuple[ScheduleModel, ...] = ()
    within: timedelta | None = None
    signals: tuple[SignalModel, ...] = ()
    queries: tuple[QueryModel, ...] = ()
    updates: tuple[UpdateModel, ...] = ()
    body: tuple[Statement, ...]
    doc: str = ""
    place: Place
