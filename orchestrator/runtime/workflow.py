"""The Temporal workflow of a saga: one type for each saga, made from its plan at run time."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, ClassVar

from temporalio import workflow
from temporalio.common import VersioningBehavior
from temporalio.exceptions import ApplicationError

from orchestrator.compile.plan import Plan
from orchestrator.messaging.codec import JsonCodec
from orchestrator.messaging.payloads import Payloads
from orchestrator.runtime.backward import CompensationFailed
from orchestrator.runtime.carried import pack
from orchestrator.runtime.course import Course
from orchestrator.runtime.effects import SagaFailed
from orchestrator.runtime.evaluation import Expressions
from orchestrator.runtime.handover import Handover
from orchestrator.runtime.inputs import handlers
from orchestrator.runtime.interpreter import Interpreter
from orchestrator.runtime.signature import parameters_of, result_of
from orchestrator.runtime.snapshot import freeze_undos
from orchestrator.runtime.standing import Paused
from orchestrator.runtime.temporal import Definition, TemporalEffects
from orchestrator.runtime.views import Views
from orchestrator.runtime.wire import (
    EVENT,
    NEEDS_ATTENTION,
    RESOLVE,
    RESULT,
    SAGA_FAILED,
    UNDONE,
    UNDOS,
    Arrival,
    Resolution,
    SagaInput,
)


def workflow_classes(plan: Plan) -> list[type]:
    """The workflow classes of a plan's sagas; workflow type = the saga's qualified name."""
    shared = JsonCodec(plan), Payloads(plan), Expressions()
    sagas = (*plan.sagas.values(), *plan.children.values())
    return [_workflow_class(Definition(plan, saga, *shared)) for saga in sagas]


def _workflow_class(definition: Definition) -> type:
    saga = definition.saga

    async def run(self: SagaWorkflow, input: SagaInput) -> Any:
        return await self.execute(input)

    # Temporal wants `run` on the class itself, refuses functions that look local, and takes an
    # annotated `self` for an input.
    del run.__annotations__["self"]
    run.__qualname__ = f"{saga.short}.run"
    members = {"definition": definition, "run": workflow.run(run), **handlers(saga)}
    return workflow.defn(
        name=saga.name, sandboxed=False, versioning_behavior=VersioningBehavior.PINNED
    )(type(saga.short, (SagaWorkflow,), members))


class SagaWorkflow:
    """What all saga workflows share: what comes from outside, and a saga's way to its end."""

    definition: ClassVar[Definition]

    @workflow.init
    def __init__(self, input: SagaInput) -> None:
        # Before the first signal or update: what comes at a boundary finds the saga as it was.
        self._handover = Handover(input)
        self.mailbox = self._handover.mailbox
        self._effects = TemporalEffects(self.definition, input, self._handover, self._past_pivot)
        self.views: Views | None = None
        if self._handover.state is not None:
            self._interpret(self._handover.state)

    @workflow.signal(name=EVENT)
    def event(self, arrival: Arrival) -> None:
        """Keeps an event until a statement takes it."""
        self.mailbox.put(arrival)

    @workflow.signal(name=RESOLVE)
    def resolve(self, resolution: Resolution) -> None:
        """Settles what is parked."""
        self._effects.parked.resolve(resolution)

    async def execute(self, input: SagaInput) -> Any:
        """Runs the saga to one of its ends: the result, a failure or a cancellation; or to where
        another run goes on."""
        state = self._handover.state
        if state is None:
            self._interpret(None)
        try:
            while True:
                try:
                    return await self._run(input, state)
                except Paused as paused:
                    state = paused.state
                self._handover.leave(state)
                self._interpret(state)
        except CompensationFailed as failed:
            raise _given_up(str(failed)) from None
        except SagaFailed as failed:
            if input.undo is not None:
                return {UNDONE: str(failed)}
            raise _failure(str(failed)) from None

    def _interpret(self, state: dict[str, Any] | None) -> None:
        """Begins, or goes on from a state."""
        made, room = self.definition, self._handover.room
        self._interpreter = Interpreter(
            made.saga, self._effects, made.expressions, room.full, room.spent, state
        )
        self.views = Views(self._interpreter.names, made.codec, made.expressions)

    async def _run(self, input: SagaInput, state: dict[str, Any] | None) -> Any:
        """The saga's course; with a state from there on. Raises SagaFailed, CompensationFailed,
        Paused."""
        passed = self._handover.passed() if state else 0.0
        back = self._interpreter.compensate
        self._course = Course(back, self.definition.saga.within, passed)
        if state and "reason" in state:
            await self._course.back(state["reason"])
        if state and state["forward"]:
            self._course.pass_pivot()
        return await self._course.run(self._forwards(input, state is None))

    async def _forwards(self, input: SagaInput, first: bool) -> Any:
        """The saga's result in wire form. Raises SagaFailed, Paused."""
        saga, codec = self.definition.saga, self.definition.codec
        if first:
            given = parameters_of(saga, input.parameters, codec)
            result = await self._interpreter.run(given)
        else:
            result = await self._interpreter.resume()
        return _for_caller(result_of(saga, result, codec), self._interpreter)

    def now(self) -> datetime:
        """The saga's clock."""
        return self._effects.now()

    def _past_pivot(self) -> None:
        self._course.pass_pivot()


def _for_caller(result: Any, interpreter: Interpreter) -> Any:
    """A saga that was called ends with what it would have to undo, too."""
    if workflow.info().parent is None:
        return result
    undos = pack(json.dumps(freeze_undos(interpreter.undos), separators=(",", ":")))
    if undos is None:
        text = "it did too much to be undone by the saga that called it"
        raise SagaFailed(text)
    return {RESULT: result, UNDOS: undos}


def _given_up(reason: str) -> ApplicationError:
    return ApplicationError(reason, type=NEEDS_ATTENTION, non_retryable=True)


def _failure(reason: str) -> ApplicationError:
    return ApplicationError(reason, type=SAGA_FAILED, non_retryable=True)
