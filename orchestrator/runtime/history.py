"""Reads a saga's course out of its Temporal history: no worker needs to be there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter

from orchestrator.runtime.wire import CALLER, CLAIM, EXCHANGE, REQUEST, RESULT, UNDONE, message_id

#: The marker that Temporal's core writes for a local activity.
_LOCAL_ACTIVITY = "core_local_activity"

#: The kinds of an entry that is the call of a function, and of a saga.
FUNCTION, SAGA = "activity", "saga"


@dataclass(slots=True)
class Entry:
    """One message of a saga: a command with its answer, or a published event; or the call of a
    function, whose `message` is the activity's name, or of a saga, whose `message` is its id; the
    path ends with `:undo` where that undoes itself. `attempts` counts as a policy does: the fast
    way belongs to the first one."""

    path: str
    kind: str
    message: str
    attempts: int
    status: str
    answer: str | None = None
    data: Any = None
    reason: str | None = None
    started: datetime | None = None
    ended: datetime | None = None


@dataclass(slots=True)
class Course:
    """What a saga did, in order, and how many events its history has. The answers of `encoded`
    are no text: their `data` is the bytes in base64, until `Running.read` reads them."""

    entries: list[Entry] = field(default_factory=list)
    events: int = 0
    encoded: list[Entry] = field(default_factory=list)

    def pending(self, path: str, attempts: int) -> None:
        """Adds what the history tells only later: the attempts of a step that still waits."""
        for entry in self.entries:
            if entry.path == path and entry.status == "waiting":
                entry.attempts = attempts


def read_course(runs: Sequence[WorkflowHistory], converter: DataConverter) -> Course:
    """The course that the histories of a saga's runs tell, the first one first."""
    course = Course()
    for history in runs:
        for entry in course.entries:
            if entry.status == "waiting":  # its run has ended: nobody waits for it any more
                entry.status = "cancelled"
        reader = _Reader(history.workflow_id, converter)
        for event in history.events:
            reader.read(event)
        course.entries += reader.entries
        course.encoded += reader.encoded
        course.events += len(history.events)
    return course


def run_before(history: WorkflowHistory) -> str | None:
    """The id of the run that this one goes on from."""
    started = history.events[0].workflow_execution_started_event_attributes
    return started.continued_execution_run_id or None


class _Reader:
    def __init__(self, workflow_id: str, converter: DataConverter) -> None:
        self._id = workflow_id
        self._converter = converter
        self.entries: list[Entry] = []
        self.encoded: list[Entry] = []
        self._scheduled: dict[int, Entry] = {}
        self._children: dict[int, Entry] = {}

    def read(self, event: HistoryEvent) -> None:
        match event.event_type:
            case EventType.EVENT_TYPE_MARKER_RECORDED:
                self._marker(event)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                self._activity(event)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                started = event.activity_task_started_event_attributes
                entry = self._scheduled[started.scheduled_event_id]
                entry.attempts = started.attempt
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                done = event.activity_task_completed_event_attributes
                entry = self._scheduled[done.scheduled_event_id]
                if entry.kind == FUNCTION:
                    self._returned(entry, event, done.result.payloads)
                else:
                    self._answered(entry, event, done.result.payloads)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
                late = event.activity_task_timed_out_event_attributes
                self._ended(late.scheduled_event_id, event, "timed out", None)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
                failed = event.activity_task_failed_event_attributes
                reason = failed.failure.message
                self._ended(failed.scheduled_event_id, event, "failed", reason)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
                canceled = event.activity_task_canceled_event_attributes
                self._ended(canceled.scheduled_event_id, event, "cancelled", None)
            case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
                self._saga(event)
            case _:
                self._saga_ended(event)

    def _marker(self, event: HistoryEvent) -> None:
        marker = event.marker_recorded_event_attributes
        if marker.marker_name != _LOCAL_ACTIVITY:
            return
        data = json.loads(marker.details["data"].payloads[0].data)
        path, kind = data["activity_id"], data["activity_type"]
        if kind == CLAIM:
            return
        entry = Entry(path, kind, message_id(self._id, path), 1, "published")
        if kind == EXCHANGE:
            result = marker.details["result"].payloads if "result" in marker.details else ()
            if not result or self._value(result) is None:
                return  # no answer in time: the durable way has the rest
            entry.status = "answered"
            self._answered(entry, event, result)
        entry.ended = event.event_time.ToDatetime()
        self.entries.append(entry)

    def _activity(self, event: HistoryEvent) -> None:
        scheduled = event.activity_task_scheduled_event_attributes
        path, type = scheduled.activity_id, scheduled.activity_type.name
        if type == REQUEST:
            entry = Entry(path, REQUEST, message_id(self._id, path), 0, "waiting")
        else:
            entry = Entry(path, FUNCTION, type.rpartition(".")[2], 0, "waiting")
        entry.started = event.event_time.ToDatetime()
        self._scheduled[event.event_id] = entry
        self.entries.append(entry)

    def _saga(self, event: HistoryEvent) -> None:
        begun = event.start_child_workflow_execution_initiated_event_attributes
        memo = begun.memo.fields
        path = self._value([memo[CALLER]])["step"] if CALLER in memo else begun.workflow_id
        entry = Entry(path, SAGA, begun.workflow_id, 1, "waiting")
        entry.started = event.event_time.ToDatetime()
        self._children[event.event_id] = entry
        self.entries.append(entry)

    def _saga_ended(self, event: HistoryEvent) -> None:
        match event.event_type:
            case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
                done = event.child_workflow_execution_completed_event_attributes
                entry = self._children[done.initiated_event_id]
                result = self._value(done.result.payloads) if done.result.payloads else {}
                entry.status, entry.data = "returned", result.get(RESULT)
                if UNDONE in result:
                    entry.status = "undone"
            case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
                failed = event.child_workflow_execution_failed_event_attributes
                entry = self._children[failed.initiated_event_id]
                entry.status, entry.reason = "failed", failed.failure.message
            case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
                cancelled = event.child_workflow_execution_canceled_event_attributes
                entry = self._children[cancelled.initiated_event_id]
                entry.status = "cancelled"
            case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
                ended = event.child_workflow_execution_terminated_event_attributes
                entry = self._children[ended.initiated_event_id]
                entry.status, entry.reason = "failed", "ended by force"
            case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
                refused = event.start_child_workflow_execution_failed_event_attributes
                entry = self._children[refused.initiated_event_id]
                entry.status, entry.reason = "failed", "started before"
            case _:
                return
        entry.ended = event.event_time.ToDatetime()

    def _answered(self, entry: Entry, event: HistoryEvent, payloads: Any) -> None:
        answer = self._value(payloads) or {}
        entry.status = "answered"
        entry.answer, entry.data = answer.get("type"), answer.get("data")
        if answer.get("encoded"):
            entry.data = {n: answer.get(n) for n in ("content_type", "encoded")}
            self.encoded.append(entry)
        entry.reason = answer.get("invalid")
        entry.ended = event.event_time.ToDatetime()

    def _returned(self, entry: Entry, event: HistoryEvent, payloads: Any) -> None:
        entry.status = "returned"
        entry.data = self._value(payloads) if payloads else None
        entry.ended = event.event_time.ToDatetime()

    def _ended(self, scheduled: int, event: HistoryEvent, status: str, why: str | None) -> None:
        entry = self._scheduled[scheduled]
        entry.status, entry.reason = status, why
        entry.ended = event.event_time.ToDatetime()

    def _value(self, payloads: Any) -> Any:
        return self._converter.payload_converter.from_payload(_first(payloads))


def _first(payloads: Any) -> Payload:
    found: Payload = payloads[0]
    return found
