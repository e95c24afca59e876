"""How one run of a saga follows another: with Temporal's continue-as-new."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from temporalio import workflow

from orchestrator.runtime.carried import carried, carry, unpack
from orchestrator.runtime.mailbox import Mailbox
from orchestrator.runtime.room import Room
from orchestrator.runtime.wire import CALLER, CHAIN, SagaInput


class Handover:
    """What a run got from the one before, and what it hands to the next. `state` is the
    interpreter's, None of a saga that begins; `room` says when it is time."""

    def __init__(self, input: SagaInput) -> None:
        before = carried(input.carried)
        self._input = input
        self._began = before.began if before else workflow.info().start_time
        self._runs = before.runs + 1 if before else 1
        self.state: dict[str, Any] | None = before.state if before else _to_undo(input)
        self.mailbox = Mailbox()
        if before:
            self.mailbox = Mailbox(before.arrivals(), before.known, before.complete)
        self.room = Room(input.events)
        if input.cause:
            self.mailbox.know(input.cause)

    def passed(self) -> float:
        """Seconds since the saga began, in its first run."""
        return (workflow.now() - self._began).total_seconds()

    def leave(self, state: dict[str, Any]) -> None:
        """Ends this run for the next one, unless there is more to carry than it could take."""
        wire = carry(
            state,
            list(self.mailbox),
            self.mailbox.known(),
            self.mailbox.complete,
            self._began,
            self._runs,
        )
        if wire is None:
            self.room.put_off()
            return
        chain = {"began": self._began.isoformat(), "runs": self._runs + 1}
        workflow.continue_as_new(
            replace(self._input, carried=wire), memo={**workflow.memo(), CHAIN: chain}
        )


def _to_undo(input: SagaInput) -> dict[str, Any] | None:
    """The state of a run that only undoes."""
    if input.undo is None:
        return None
    caller = workflow.memo_value(CALLER)
    reason = f"undone for `{caller['id']}`"
    return {"undos": unpack(input.undo), "forward": False, "reason": reason}
