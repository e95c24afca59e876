"""How many events of Temporal's history a saga's statements take, and how many there may be.

The numbers are what the workflow of a saga does with Temporal (architecture: "How a command step
runs"); a test runs sagas on a real server and holds them to it.
"""

from __future__ import annotations

#: A task of the workflow: scheduled, started, completed.
TASK = 3
#: A saga's start with its first task, and its end.
START, END = 1 + TASK, 1
#: A deadline (`within`): its timer, which is cancelled, or fires and wakes the saga. A saga that
#: ends in its first task leaves no trace of it.
DEADLINE = 2 + TASK
#: A cancel from outside; before anything is undone a timer lets its task end.
CANCELLED = 1 + TASK + 2 + TASK
#: The fast way of a command, a published event, a dead letter, the question for events that came
#: before the saga: the marker of a local activity.
MARKER = 1
#: The durable way, which follows where no answer came in the window: an activity that is scheduled,
#: started and completed, and wakes the saga. Its retries leave no events.
DURABLE = 3 + TASK
#: A cancel of an activity that is under way: by whoever stops the saga, or by a branch that fails.
STOPPED = 1
#: A wait for an event or a signal that is there already, and for one that comes: it wakes the saga.
ARRIVED, ARRIVAL = 1, 1 + TASK
#: The timer of a wait with a limit, when it is not needed any more.
LIMIT = 2
#: A timer that fires, and wakes the saga.
SLEEP = 2 + TASK
#: A saga that is called: begun, started, ended, with a task for each of the last two, or one for
#: both.
CALLED, CHILD = 3 + TASK, 3 + 2 * TASK
#: A cancel that is passed on to one.
CANCELLED_CHILD = 2 + TASK
#: Before a message leaves after `now()` was read, a timer puts the time into the history.
CLOCK = SLEEP

#: With so many events Temporal suggests that a run continue as new, …
RUN = 4_096
#: … it ends a run with more events than this …
MOST = 51_200
#: … and warns of one with more than that.
MANY = 10_240
