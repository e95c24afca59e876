"""What is parked: it waits for a person's decision, and the workflow's memo shows it."""

from __future__ import annotations

import asyncio

from temporalio import workflow

from orchestrator.runtime.effects import Decision
from orchestrator.runtime.wire import ATTENTION, Resolution


class Parked:
    """What a person is to decide about one saga, by path: the undos of parallel branches may park
    together."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}
        self._decisions: dict[str, Decision] = {}

    def resolve(self, resolution: Resolution) -> None:
        """Notes a decision; what is none, or about nothing that is parked, changes nothing."""
        if resolution.path in self._reasons and resolution.decision in set(Decision):
            self._decisions[resolution.path] = Decision(resolution.decision)

    async def decision(self, path: str, reason: str) -> Decision:
        """Parks until a person's decision comes by signal; the memo shows what about."""
        self._reasons[path] = reason
        self._show()
        try:
            await workflow.wait_condition(lambda: path in self._decisions)
        except asyncio.CancelledError:  # and nothing else: an evicted workflow is closed, too
            self._settled(path)
            raise
        self._settled(path)
        return self._decisions.pop(path)

    def _settled(self, path: str) -> None:
        del self._reasons[path]
        self._show()

    def _show(self) -> None:
        """The memo holds one of them; its decision brings the next."""
        first = next(({"path": p, "reason": r} for p, r in self._reasons.items()), None)
        workflow.upsert_memo({ATTENTION: first})
