"""How full the history of a run is."""

from __future__ import annotations

from temporalio import workflow

#: Temporal ends a workflow at 51,200 events or 50 MB, and nothing would be undone. What is left is
#: for what is under way when a saga fails for that. A replay goes by these numbers: they stay.
_MOST_EVENTS, _MOST_BYTES = 40_000, 40_000_000
#: After so many events it is tried again to go on elsewhere.
_PUT_OFF = 1_000


class Room:
    """Tells when a saga had better go on in another run: after so many `events`, and when Temporal
    says so. All that it says is the same in a replay."""

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
        used = self._used()
        if used < self._not_before:
            return False
        suggested = workflow.info().is_continue_as_new_suggested()
        return suggested or bool(self._events and used >= self._events)

    def spent(self) -> bool:
        """Whether there is hardly room for more, and it did not go on elsewhere."""
        size = workflow.info().get_current_history_size()
        return self._used() >= _MOST_EVENTS or size >= _MOST_BYTES

    def put_off(self) -> None:
        """It could not go on elsewhere: not before it has done some more."""
        self._not_before = self._used() + _PUT_OFF

    def _used(self) -> int:
        return max(workflow.info().get_current_history_length(), self._acts)
