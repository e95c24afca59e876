"""Places with names, at every boundary a message crosses, at which a test can end the process.

Off, and in production always, `reach` looks at one variable and returns. Nothing that comes from
outside switches a point on, no setting, no variable of the environment and no message: only code
that runs in this process and calls `arm`, and nothing in this package does. What then happens
there, a kill, a stop, an error, is the test's code as well.
"""

from __future__ import annotations

from collections.abc import Callable

#: Every point, and what is done and not yet done there. Those of a pair stand right before and
#: right after what they are named for.
POINTS = {
    # A participant handles a command.
    "handler.before-commit": "handler, answer and events are written, nothing is committed",
    "handler.after-commit": "committed, no answer sent",
    "answer.before-publish": "an answer, new or recorded, is on its way to the bus",
    "answer.after-publish": "the bus has the answer, the offset is not committed",
    "rejected.before-publish": "a message is given up, its dead letter not published",
    "rejected.after-publish": "the dead letter is published, the offset not committed",
    # A relay publishes what the outbox holds.
    "outbox.before-claim": "buckets are taken in a transaction that is open",
    "outbox.after-claim": "the lease is committed, nothing published",
    "outbox.before-publish": "the next messages of a batch are on their way to the bus",
    "outbox.after-publish": "the bus has them, others of the batch perhaps not, none is marked",
    "outbox.before-mark": "a batch is marked in a transaction that is open",
    "outbox.after-mark": "a batch is published and marked, its buckets are free",
    # A consumer commits how far it is.
    "offsets.before-commit": "records are done, their offsets not committed",
    "offsets.after-commit": "the offsets are committed",
    # A worker sends and receives.
    "command.before-publish": "the fast way, before the command is on the bus",
    "command.after-publish": "the fast way waits for the answer",
    "command.after-answer": "the fast way has an answer that no history knows of",
    "request.before-publish": "the durable way, before the command is on the bus again",
    "request.after-publish": "the durable way, before the activity is left to the answer",
    "event.before-publish": "a saga's event, or a command's dead letter, is on its way",
    "event.after-publish": "the bus has it, no history knows of it",
    "reply.before-complete": "an answer came, Temporal does not know of it",
    "reply.after-complete": "Temporal has the answer, the offset is not committed",
    "start.before-start": "an event came that starts a saga",
    "start.after-start": "the saga is started, the event's offset not committed",
    "arrival.before-signal": "an event came that a saga may wait for",
    "arrival.after-signal": "the saga has the event, its offset is not committed",
    "letter.before-publish": "a record is given up, its dead letter not published",
    "letter.after-publish": "the dead letter is published, the offset not committed",
}

_armed: Callable[[str], None] | None = None


def reach(point: str) -> None:
    """Marks a place in the code, one of `POINTS`. Raises what a test has it raise."""
    if _armed is not None:
        _armed(point)


def arm(at: Callable[[str], None] | None) -> None:
    """For tests, in a process of their own: has `at` called with the name of every point that is
    reached from now on; None ends that."""
    global _armed
    _armed = at
