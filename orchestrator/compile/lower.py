"""Sagas of the model to sagas of the plan."""

from __future__ import annotations

from dsl.model import SagaModel, ScheduleModel, UpdateModel
from orchestrator.compile.names import names_read
from orchestrator.compile.plan import (
    ParameterPlan,
    QueryPlan,
    SagaPlan,
    SchedulePlan,
    SetPlan,
    SignalPlan,
    StartPlan,
    UpdatePlan,
)
from orchestrator.compile.statements import Lowering


def lower_saga(saga: SagaModel) -> SagaPlan:
    """The plan of a saga."""
    return SagaPlan(
        name=saga.name,
        parameters=tuple(ParameterPlan(name=p.name, type=p.type) for p in saga.parameters),
        result=saga.result,
        key=saga.key,
        starts=tuple(
            StartPlan(event=s.event, name=s.name, arguments=s.arguments) for s in saga.starts
        ),
        schedules=tuple(_schedule(s) for s in saga.schedules),
        within=saga.within.total_seconds() if saga.within is not None else None,
        signals=tuple(SignalPlan(name=s.name, record=s.record, doc=s.doc) for s in saga.signals),
        queries=tuple(
            QueryPlan(name=q.name, type=q.type, value=q.value, doc=q.doc) for q in saga.queries
        ),
        updates=tuple(_update(u) for u in saga.updates),
        body=Lowering(names_read((saga.body, saga.queries, saga.updates))).block(saga.body),
        doc=saga.doc,
    )


def _schedule(schedule: ScheduleModel) -> SchedulePlan:
    return SchedulePlan(
        every=schedule.every.total_seconds() if schedule.every is not None else None,
        cron=schedule.cron,
        zone=schedule.zone,
        arguments=schedule.arguments,
    )


def _update(update: UpdateModel) -> UpdatePlan:
    return UpdatePlan(
        name=update.name,
        record=update.record,
        condition=update.condition,
        text=update.text,
        sets=tuple(SetPlan(name=s.name, value=s.value, place=s.place) for s in update.sets),
        doc=update.doc,
    )
