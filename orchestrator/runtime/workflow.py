"""The Temporal workflow of a saga: one type for each saga, made from its plan at run time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from temporalio import workflow
from temporalio.common import VersioningBehavior
from temporalio.exceptions import ApplicationError

from dsl.model import Callee, wire_type
from dsl.types import Named
from dsl.values import Struct
from orchestrator.compile.plan import Plan, SagaPlan
from orchestrator.messaging.codec import DecodeError, JsonCodec
from orchestrator.messaging.payloads import Payloads
from orchestrator.runtime.backward import CompensationFailed
from orchestrator.runtime.calls import Calls
from orchestrator.runtime.cancels import Cancels
from orchestrator.runtime.carried import pack
from orchestrator.runtime.children import Children
from orchestrator.runtime.course import Course
from orchestrator.runtime.effects import Command, Decision, SagaFailed, Untouched
from orchestrator.runtime.evaluation import Expressions
from orchestrator.runtime.handover import Handover
from orchestrator.runtime.inputs import handlers
from orchestrator.runtime.interpreter import Interpreter
from orchestrator.runtime.invocations import Invocations
from orchestrator.runtime.signature import parameters_of, result_of
from orchestrator.runtime.snapshot import freeze_undos
from orchestrator.runtime.standing import Paused
from orchestrator.runtime.views import Views
from orchestrator.runtime.wire import (
    ATTENTION,
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

#: The shortest timer of the server, in seconds.
_MOMENT = 0.001


@dataclass(frozen=True, slots=True)
class Definition:
    """What the workflow class of a saga is made from."""

    plan: Plan
    saga: SagaPlan
    codec: JsonCodec
    payloads: Payloads
    expressions: Expressions


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
    """What all saga workflows share: the effects of the interpreter, and the end of a saga."""

    definition: ClassVar[Definition]

    @workflow.init
    def __init__(self, input: SagaInput) -> None:
        # Before the first signal or update: what comes at a boundary finds the saga as it was.
        self._handover = Handover(input)
        self.mailbox = self._handover.mailbox
        self._room = self._handover.room
        self._cancels = Cancels()
        made = self.definition
        self._calls = Calls(
            made.plan, made.saga, made.codec, made.payloads, self._cancels, input.cause
        )
        self._functions = Invocations(made.plan, made.codec, self._cancels)
        self._children = Children(
            made.plan, made.codec, made.expressions, self._cancels, input.events
        )
        self._decisions: dict[str, Decision] = {}
        self._clock_read = False
        #: What a person is to decide, by path: the undos of parallel branches may park together.
        self._parked: dict[str, str] = {}
        self.views: Views | None = None
        if self._handover.state is not None:
            self._interpret(self._handover.state)

    @workflow.signal(name=EVENT)
    def event(self, arrival: Arrival) -> None:
        """Keeps an event until a statement takes it."""
        self.mailbox.put(arrival)

    @workflow.signal(name=RESOLVE)
    def resolve(self, resolution: Resolution) -> None:
        """Settles what is parked; what is no decision changes nothing."""
        if resolution.path in self._parked and resolution.decision in set(Decision):
            self._decisions[resolution.path] = Decision(resolution.decision)

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
        made = self.definition
        self._interpreter = Interpreter(
            made.saga, self, made.expressions, self._room.full, self._room.spent, state
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

    # --- Effects

    def now(self) -> datetime:
        """The workflow's clock."""
        self._clock_read = True
        return workflow.now()

    async def call(self, command: Command) -> Any:
        """Sends a command at two speeds, or calls a function or a saga."""
        self._room.use()
        if command.callee is Callee.SAGA:
            try:
                await self._settle_clock()
            except asyncio.CancelledError:
                raise Untouched from None
            return await self._children.call(command)
        if command.callee is Callee.ACTIVITY:
            return await self._functions.call(command)
        await self._settle_clock()
        return await self._calls.call(command)

    async def undo_child(self, command: Command, undos: Any) -> None:
        """Has a called saga undo what it did."""
        self._room.use()
        await self._children.undo(command, undos)

    async def bury(self, command: Command, reason: str) -> None:
        """Publishes an exhausted command as a dead letter."""
        if command.callee is Callee.COMMAND:
            await self._calls.bury(command, reason)

    async def publish(self, path: str, event: str, payload: Struct) -> None:
        """Publishes an event."""
        self._room.use()
        await self._settle_clock()
        await self._calls.publish(path, event, payload)

    async def _settle_clock(self) -> None:
        """Before a message leaves that may hold the time, a timer puts the time into the history.
        Else a worker that is lost here would be followed by one that sends another time under the
        same message id."""
        if self._clock_read:
            self._clock_read = False
            await workflow.sleep(_MOMENT)

    async def receive(
        self, arms: Sequence[tuple[str, Callable[[Struct], bool]]], limit: float | None
    ) -> tuple[int, Struct] | None:
        """Waits until the mailbox holds an event that fits, or the limit has passed."""
        self._room.use()
        found: list[tuple[int, Struct]] = []

        def arrived() -> bool:
            if not found:
                found.extend(self._matching(arms))
            return bool(found)

        return found[0] if await self._cancels.condition(arrived, limit) else None

    async def sleep(self, seconds: float) -> None:
        """Waits by the server's timer."""
        self._room.use()
        await self._cancels.condition(lambda: False, seconds)

    def _matching(
        self, arms: Sequence[tuple[str, Callable[[Struct], bool]]]
    ) -> list[tuple[int, Struct]]:
        for arrival in self.mailbox:
            for index, (event, fits) in enumerate(arms):
                if arrival.type != wire_type(event):
                    continue
                try:
                    payload = self.definition.codec.from_wire(arrival.data, Named(event))
                except DecodeError as error:
                    workflow.logger.warning("event %s dropped: %s", arrival.id, error)
                    self.mailbox.take(arrival)
                    break
                if fits(payload):
                    self.mailbox.take(arrival)
                    return [(index, payload)]
        return []

    def pass_pivot(self) -> None:
        """A cancel that came before, and was kept, is dropped too."""
        self._course.pass_pivot()
        self._cancels.forget()

    async def attention(self, path: str, reason: str) -> Decision:
        """Parks until a person's decision comes by signal; the memo shows what about."""
        self._parked[path] = reason
        self._show_parked()
        try:
            await workflow.wait_condition(lambda: path in self._decisions)
        except asyncio.CancelledError:  # and nothing else: an evicted workflow is closed, too
            self._settled(path)
            raise
        self._settled(path)
        return self._decisions.pop(path)

    async def settle(self) -> None:
        """A timer puts what was done into the history, and brings what came meanwhile, a cancel
        among it: the task that continues then does nothing else. The server refuses it when a
        signal comes in that moment, and until it is done again nobody can send one."""
        self._cancels.take_effect()
        await workflow.sleep(_MOMENT)

    def _settled(self, path: str) -> None:
        del self._parked[path]
        self._show_parked()

    def _show_parked(self) -> None:
        """The memo holds one of them; its decision brings the next."""
        first = next(({"path": p, "reason": r} for p, r in self._parked.items()), None)
        workflow.upsert_memo({ATTENTION: first})


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
