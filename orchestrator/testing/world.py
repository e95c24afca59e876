"""The world of a scenario in memory, with virtual time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from dsl.values import Struct
from orchestrator.compile.plan import Plan
from orchestrator.messaging.codec import JsonCodec
from orchestrator.runtime.evaluation import Expressions
from orchestrator.testing import words
from orchestrator.testing.answers import Answers
from orchestrator.testing.clock import EndlessError, VirtualLoop
from orchestrator.testing.course import Course, Entry, Event
from orchestrator.testing.decisions import Decisions
from orchestrator.testing.symbols import Symbols

if TYPE_CHECKING:
    from orchestrator.testing.instance import Instance

#: A saga that acts so often in one scenario is taken for one without an end.
MOST_ACTS = 10_000


class World:
    """What all sagas of a scenario share: the clock, the services, the log."""

    answers: Answers
    decisions: Decisions

    def __init__(self, loop: VirtualLoop, plan: Plan, codec: JsonCodec, symbols: Symbols) -> None:
        self.loop = loop
        self.plan = plan
        self.codec = codec
        self.symbols = symbols
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
        if message is not None:
            message = self.symbols.inside(message)
        entry = Entry(self.loop.time(), event, text, message, path)
        self.course.entries.append(entry)
        return entry

    def fields(self, payload: Struct, without: str = "") -> str:
        """What a message or a callee is given, for people."""
        return words.fields(self.symbols.inside(payload), without)

    def message(self, payload: Struct, key: str = "") -> str:
        """A message for people; its key, which is the saga's, is left out."""
        return words.message(self.symbols.inside(payload), key)

    def gave(self, callee: str, value: Any) -> str:
        """What an activity or a saga gave, for people."""
        return words.shown(self.symbols.result(callee, value))
