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
    # A participant, or a worker, puts numbered events in their order.
    "sequence.before-take": "an event had its effect in its turn, nothing is committed",
    "sequence.after-take": "its number is taken, the one behind it not looked for",
    "sequence.before-keep": "an early event is written down, nothing is committed",
    "sequence.after-keep": "it is kept, its offset not committed",
    "sequence.before-give-up": "what stood behind a gap is in the dead letters, nothing committed",
    "sequence.after-give-up": "a gap is given up",
    # A participant tries an event again, and what it may have once alone.
    "parked.before-keep": "an event that failed is written down, nothing is committed",
    "parked.after-keep": "it is parked, its offset not committed",
    "parked.before-queue": "an event is put behind the one of its key that waits, not committed",
    "parked.after-queue": "it stands in the queue, its offset not committed",
    "parked.before-attempt": "what is due is this process's, and not tried yet",
    "parked.before-release": "it had its effect, and is taken out of the queue, not committed",
    "parked.after-release": "it is out of the queue, the next one may follow",
    "held.before-hold": "a dead letter that holds its key is published, the hold not committed",
    "held.after-hold": "its key is held, its offset not committed",
    "held.before-revive": "a letter sent again takes its old place, nothing is committed",
    "held.before-release": "a letter was discarded, the key let go, nothing is committed",
    # A participant tries an event again whose order does not matter.
    "retry.before-wait": "an event that failed is on its way to its retry topic",
    "retry.after-wait": "the topic has it, the offset where it was read is not committed",
    "retry.before-attempt": "what is due is read, and not tried yet",
    "retry.before-commit": "what was due is done or waits again, its offsets not committed",
    "retry.after-commit": "the retry topic's offsets are committed",
    "once.before-claim": "a message that may be lost is claimed, nothing is committed",
    "once.after-claim": "it is known, and was not handled",
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
    "unclaimed.before-keep": "an event for a saga that is not there is written down, not committed",
    "unclaimed.after-keep": "it is kept, its offset not committed",
    "claim.before-commit": "a saga gets what was kept for it, nothing is committed",
    "claim.after-commit": "it is claimed, no history knows of it",
    "letter.before-publish": "a record is given up, its dead letter not published",
    "letter.after-publish": "the dead letter is published, the offset not committed",
    # A transformer works from topic to topic.
    "transform.before-publish": "a transaction is open and empty",
    "transform.before-offsets": "the bus has what came of the records, the offsets not",
    "transform.before-commit": "the offsets are in the transaction, it is open",
    "transform.after-commit": "the transaction is over",
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
