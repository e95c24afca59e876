"""The world of a scenario in memory, with virtual time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dsl.values import Struct
from orchestrator.compile.plan import Plan
from orchestrator.messaging.codec import JsonCodec
from orchestrator.runtime.evaluation import Expressions
from orchestrator.testing.answers import Answers
from orchestrator.testing.clock import EndlessError, VirtualLoop
from orchestrator.testing.course import Course, Entry, Event
from orchestrator.testing.decisions import Decisions

if TYPE_CHECKING:
    from orchestrator.testing.instance import Instance

#: A saga that acts so often in one scenario is taken for one without an end.
MOST_ACTS = 10_000


class World:
    """What all sagas of a scenario share: the clock, the services, the log."""

    answers: Answers
    decisions: Decisions

    def __init__(self, loop: VirtualLoop, plan: Plan, codec: JsonCodec) -> None:
        self.loop = loop
        self.plan = plan
        self.codec = codec
        self.expressions = Expressions()
        self.course = Course()
        self.over = False
        #: The ids of the sagas that began, and those that were called and run.
        self.ids: set[str] = set()
        self.called: dict[str, Instance] = {}
        self._acts = 0

    def act(self) -> None:
        """Called before everything that a saga does or waits for."""
        if self.over:
            raise asyncio.CancelledError
        self._acts += 1
        if self._acts > MOST_ACTS:
            raise EndlessError

    def log(
        self, event: Event, text: str, message: Struct | None = None, path: str = ""
    ) -> Entry | None:
        """Adds a line to the course, unless the scenario is over."""
        if self.over:
            return None
        entry = Entry(self.loop.time(), event, text, message, path)
        self.course.entries.append(entry)
        return entry
