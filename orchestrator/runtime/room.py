"""How full the history of a run is."""

from __future__ import annotations

from temporalio import workflow


class Room:
    """Tells when a saga had better go on in another run: after so many `events`, and when Temporal
    says so. Both are the same in a replay."""

    def __init__(self, events: int | None) -> None:
        self._events = events
        #: What was done in this run: the history tells of it only when the task has ended.
        self._acts = 0
        self._not_before = 0

    def use(self) -> None:
        """Notes a message or a wait: one event or more."""
        self._acts += 1

    def full(self) -> bool:
        """Whether it is time."""
        info = workflow.info()
        used = max(info.get_current_history_length(), self._acts)
        if used < self._not_before:
            return False
        return info.is_continue_as_new_suggested() or bool(self._events and used >= self._events)

    def put_off(self) -> None:
        """It could not go on elsewhere: not before this run is twice as long."""
        self._not_before = 2 * max(workflow.info().get_current_history_length(), self._acts)
