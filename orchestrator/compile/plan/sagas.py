"""Sagas, what starts them and what they may be told."""

from __future__ import annotations

from dsl.cel.nodes import Node
from dsl.types import TypeField
from orchestrator.compile.plan.instructions import Instruction, SetPlan
from orchestrator.compile.plan.part import Part


class ParameterPlan(Part):
    """A parameter of a saga."""

    name: str
    type: TypeField


class StartPlan(Part):
    """An event that starts the saga: an expression over `name` for each parameter."""

    event: str
    name: str
    arguments: dict[str, Node]


class SchedulePlan(Part):
    """When the saga starts by itself: every so many seconds since 1970, or at the times of a cron
    of five fields in a zone; an expression over the scheduled time `at` for each parameter."""

    every: float | None = None
    cron: str | None = None
    zone: str = "UTC"
    arguments: dict[str, Node]


class SignalPlan(Part):
    """What a saga may be told; `record` is the qualified name of its payload."""

    name: str
    record: str
    doc: str = ""


class QueryPlan(Part):
    """What a saga may be asked: an expression over the names of its outermost block."""

    name: str
    type: TypeField
    value: Node
    doc: str = ""


class UpdatePlan(Part):
    """What may be changed in a saga; `record` is the qualified name of its payload, whose fields
    are names here beside those of the saga's outermost block."""

    name: str
    record: str
    condition: Node | None = None
    text: str = ""
    sets: tuple[SetPlan, ...] = ()
    doc: str = ""


class SagaPlan(Part):
    """One saga. `name` is qualified and is the Temporal workflow type."""

    name: str
    parameters: tuple[ParameterPlan, ...]
    result: TypeField | None = None
    key: Node
    starts: tuple[StartPlan, ...] = ()
    schedules: tuple[SchedulePlan, ...] = ()
    within: float | None = None
    signals: tuple[SignalPlan, ...] = ()
    queries: tuple[QueryPlan, ...] = ()
    updates: tuple[UpdatePlan, ...] = ()
    body: tuple[Instruction, ...]
    doc: str = ""

    @property
    def short(self) -> str:
        """The name without its module, unique within a deployment."""
        return self.name.rpartition(".")[2]
