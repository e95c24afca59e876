"""Colours and tooltips: of services, or of what became of each step of one instance."""

from __future__ import annotations

from collections.abc import Mapping

from dsl.model import Callee, Program, wire_type
from orchestrator.compile.plan import CallPlan
from orchestrator.diagrams.state import StepState
from orchestrator.diagrams.style import PLAIN, SERVICES, STATUSES, UNREACHED, Paint
from orchestrator.diagrams.text import clean


class Palette:
    """A saga's. `state` is that of an instance by the steps' paths, None for a saga at rest."""

    def __init__(self, program: Program, state: Mapping[str, StepState] | None) -> None:
        self._program = program
        self._state = state
        self._services: dict[str, Paint] = {}

    def state(self, path: str) -> StepState | None:
        """What became of a step."""
        return (self._state or {}).get(path)

    def says(self, call: CallPlan) -> str:
        """What a callee is, for who rests the pointer on it."""
        if call.callee is Callee.COMMAND:
            doc = self._program.command(call.command).doc
            return clean(doc) or wire_type(call.command)
        if call.callee is Callee.SAGA:
            doc = self._program.saga(call.command).doc
            return clean(doc) or f"the saga {call.command.rpartition('.')[2]}"
        activity = self._program.activity(call.command)
        return clean(activity.doc) or f"the function {activity.function}"

    def of_call(self, call: CallPlan, state: StepState | None) -> Paint:
        """A call's, which has a service's colour only where it is a command."""
        if call.callee is Callee.COMMAND:
            return self.of_message(call.command, state)
        if state:
            return STATUSES[state.status]
        return UNREACHED if self._state is not None else PLAIN

    def of_message(self, message: str, state: StepState | None) -> Paint:
        """The colour of a message's service, or of what became of the step."""
        service = message.rpartition(".")[0]
        following = SERVICES[len(self._services) % len(SERVICES)]
        paint = self._services.setdefault(service, following)
        if state:
            return STATUSES[state.status]
        return UNREACHED if self._state is not None else paint
